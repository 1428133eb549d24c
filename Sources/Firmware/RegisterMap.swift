// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Where the kernel has registers of devices in its own address space: page by page what it asked for, and nothing around.
///
/// Those below 4 GiB are at their address behind the start of the space set aside for them; others follow behind, one after
/// the other, wherever in physical memory they are.
package struct RegisterMap: Sendable {
  package static var capacity: Int { 96 }

  /// What is to be mapped: whole pages of registers, and where; nothing if they are mapped already.
  package struct Pages: Equatable, Sendable, BitwiseCopyable {
    package let range: PhysicalRange
    package let place: UInt64
  }

  private let low: UInt64
  private let end: UInt64
  private var next: UInt64
  private var parts: InlineArray<96, Pages>
  private var count = 0

  /// An empty map in the addresses from `start`, the border of a page, to `end`, more than 4 GiB.
  package init(from start: UInt64, to end: UInt64) {
    low = start
    self.end = end
    next = start + 4 * .GiB
    let nothing = Pages(range: PhysicalRange(start: PhysicalAddress(0), size: 0), place: 0)
    parts = InlineArray(repeating: nothing)
  }

  /// Finds a place for the pages that `range` touches.
  ///
  /// - Returns: `nil` if `range` is empty or no range, or there is no room.
  package mutating func add(_ range: PhysicalRange) -> Pages? {
    guard range.size > 0, fits(range.start.value, count: range.size, in: MemoryMap.end),
      let stop = (range.start.value + range.size).roundedUp(to: MemoryMap.pageSize)
    else { return nil }
    let start = range.start.value.roundedDown(to: MemoryMap.pageSize)
    let pages = PhysicalRange(start: PhysicalAddress(start), size: stop - start)
    if let place = place(of: pages.start, count: pages.size) {
      return Pages(range: PhysicalRange(start: pages.start, size: 0), place: place)
    }
    guard count < Self.capacity else { return nil }
    let isLow = stop <= 4 * .GiB
    guard isLow || pages.size <= end - next else { return nil }
    parts[count] = Pages(range: pages, place: isLow ? low + start : next)
    if !isLow { next += pages.size }
    count += 1
    return parts[count - 1]
  }

  /// Where the kernel has the `count` bytes of registers at `address`; `nil` unless it has all of them.
  package func place(of address: PhysicalAddress, count bytes: UInt64) -> UInt64? {
    for index in 0..<count {
      let (offset, isBelow) = address.value.subtractingReportingOverflow(parts[index].range.start.value)
      if !isBelow, fits(offset, count: bytes, in: parts[index].range.size) { return parts[index].place + offset }
    }
    return nil
  }
}
