// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// A page as page tables map it.
package struct MappedPage: Equatable, Sendable {
  package let address: UInt64
  package let range: PhysicalRange
  package let isWritable: Bool
  package let isExecutable: Bool

  package init(address: UInt64, range: PhysicalRange, isWritable: Bool, isExecutable: Bool) {
    self.address = address
    self.range = range
    self.isWritable = isWritable
    self.isExecutable = isExecutable
  }
}

/// What page tables of four levels map, page by page (AMD APM volume 2, §5.3).
package enum TableWalk {
  /// Calls `body` with each page under the top table at `root`.
  ///
  /// - Parameter read: The word at an address in a table.
  package static func each(
    under root: PhysicalAddress, read: (PhysicalAddress) -> UInt64, _ body: (MappedPage) -> Void
  ) {
    visit(root, level: 3, address: 0, isWritable: true, isExecutable: true, read, body)
  }

  private static func visit(
    _ table: PhysicalAddress, level: UInt64, address: UInt64, isWritable: Bool, isExecutable: Bool,
    _ read: (PhysicalAddress) -> UInt64, _ body: (MappedPage) -> Void
  ) {
    for index in UInt64(0)..<512 {
      let entry = read(table + 8 * index)
      guard entry & 1 != 0 else { continue }
      let size = UInt64(4096) << (9 * level)
      let place = address + index * size
      let writable = isWritable && entry & 2 != 0
      let executable = isExecutable && entry >> 63 == 0
      let next = PhysicalAddress(entry & 0xf_ffff_ffff_f000)
      if level == 0 || entry & 0x80 != 0 {
        let range = PhysicalRange(start: PhysicalAddress(next.value.roundedDown(to: size)), size: size)
        body(MappedPage(address: place, range: range, isWritable: writable, isExecutable: executable))
      } else {
        visit(
          next, level: level - 1, address: place, isWritable: writable, isExecutable: executable, read, body)
      }
    }
  }
}

/// What must hold of each page that the kernel's own tables map.
package struct KernelMapRules: Sendable {
  /// The kernel's image in memory, and where it is linked to be.
  let image: PhysicalRange
  let imageAddress: UInt64
  /// Its code and constants, at its start.
  let constantsEnd: PhysicalAddress

  package init(image: PhysicalRange, at address: UInt64, constants: UInt64) {
    self.image = image
    imageAddress = address
    constantsEnd = image.start + constants
  }

  /// What is wrong with a page; `nil` if nothing is.
  ///
  /// - Parameters:
  ///   - isForeign: Whether any of a range is a guest's, its memory or its device.
  ///   - isTable: Whether any of a range is of the tables that are written at boot alone.
  package func breach(
    _ page: MappedPage, isForeign: (PhysicalRange) -> Bool, isTable: (PhysicalRange) -> Bool
  ) -> StaticString? {
    if page.isWritable, page.isExecutable { return "a page of the kernel's is writable and executable" }
    if page.range.overlaps(image) {
      let isPlace = page.address &- imageAddress == page.range.start.value &- image.start.value
      guard isPlace else { return "the kernel's image is mapped twice" }
      if page.isWritable, page.range.start < constantsEnd { return "the kernel's code or constants are writable" }
    }
    if page.isWritable, isTable(page.range) { return "the kernel's tables are writable" }
    return isForeign(page.range) ? "a guest's memory or device is in the kernel's map" : nil
  }
}
