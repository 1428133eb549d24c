// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import Firmware
import PCI
import X86

extension KernelSpace {
  /// Looks at each page of the kernel's map when all is dealt out: no guest's memory, no guest's device, no alias of the
  /// kernel's image, nothing writable that should not be.
  static func check(
    _ space: AddressSpace, _ builder: borrowing DomainBuilder, _ passed: Table<PassedFunction>, _ memory: BootMemory
  ) throws(BootError) {
    let (text, _, writable, end) = layout
    let start = DirectMap.physical(ofKernel: text)
    let rules = KernelMapRules(
      image: PhysicalRange(start: start, size: end - text), at: text, constants: writable - text)
    var guests = FixedList<64, PhysicalRange>()
    try builder.eachGuestMemory { range throws(BootError) in
      try guests.append(range, orSay: "the boot image has too much guest memory")
    }
    let list = guests
    var problem: StaticString?
    space.each { page in
      let breach = rules.breach(
        page,
        isForeign: { range in
          for index in 0..<list.count where list[index].overlaps(range) { return true }
          for index in 0..<passed.count where passed[index].place?.givesAway(range) == true { return true }
          return false
        }, isTable: { memory.isTable($0) })
      if let breach { problem = breach }
    }
    if let problem { throw .refused(problem) }
  }
}

extension DomainBuilder {
  /// Calls `body` with each piece of memory that is a guest's.
  fileprivate func eachGuestMemory(_ body: (PhysicalRange) throws(BootError) -> Void) throws(BootError) {
    for index in 0..<reader.count(.regions) where reader.region(index).kind == RegionKind.guestMemory.rawValue {
      try body(PhysicalRange(start: regions[index].start, size: regions[index].size))
    }
  }
}

extension FunctionPlace {
  /// Whether any of a page is of the registers that its guest has: of all but the pages with the table of messages.
  fileprivate func givesAway(_ page: PhysicalRange) -> Bool {
    if let table = function.messageTablePlace, table.overlaps(page), page.size == MemoryMap.pageSize { return false }
    for index in 0..<6 where function.ranges[index].isMemory && function.ranges[index].pages.overlaps(page) {
      return true
    }
    return false
  }
}
