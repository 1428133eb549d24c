// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import X86

/// The machine's memory as the parsers of boot read it: the first 4 GiB and ACPI tables above while boot.S's page tables
/// hold them, and then the boot image's modules.
struct MachineMemory: PhysicalMemory {
  private let first: PhysicalRange
  private var second = PhysicalRange(start: PhysicalAddress(0), size: 0)
  private var third = PhysicalRange(start: PhysicalAddress(0), size: 0)

  /// All that boot.S maps.
  init() { first = PhysicalRange(start: PhysicalAddress(0), size: 4 * .GiB) }

  /// What the kernel's own tables hold.
  init(_ outside: OutsideMemory) {
    first = outside.modules[0]
    second = outside.modules[1]
  }

  @_lifetime(borrow self)
  borrowing func bytes(at address: PhysicalAddress, count: UInt64) -> RawSpan? {
    guard holds(address, count) else { return nil }
    // SAFETY: the direct map holds all of each part, and boot changes none of what it parses.
    let span = unsafe RawSpan(_unsafeStart: DirectMap.pointer(address), byteCount: Int(count))
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  private func holds(_ address: PhysicalAddress, _ count: UInt64) -> Bool {
    Self.holds(address, count, first) || Self.holds(address, count, second) || Self.holds(address, count, third)
  }

  private static func holds(_ address: PhysicalAddress, _ count: UInt64, _ part: PhysicalRange) -> Bool {
    let (offset, isBelow) = address.value.subtractingReportingOverflow(part.start.value)
    return !isBelow && fits(offset, count: count, in: part.size)
  }
}

// MARK: - Above 4 GiB

extension MachineMemory {
  /// Has boot.S's page tables hold what `map` says that ACPI has above 4 GiB, read-only, so that tables are found there too;
  /// only the first two pieces of it, and of each no more than tables take.
  init(acpiOf map: MemoryMap, from memory: inout BootMemory) throws(BootError) {
    self.init()
    let space = Self.bootSpace
    for index in 0..<map.withheldCount {
      let entry = map.withheld(index)
      guard entry.kind == .acpi, third.size == 0,
        let pages = entry.range.part(from: 4 * .GiB, to: OwnMemory.end.value)
      else { continue }
      if second.size == 0 { second = pages } else { third = pages }
      try space.map(
        DirectMap.base + pages.start.value, to: pages.start, size: pages.size, .noExecute, largest: .small,
        from: &memory)
    }
  }

  /// Takes out of boot.S's page tables again what they hold above 4 GiB, once the kernel has left them.
  static func forgetHigh() { bootSpace.clear(DirectMap.base + 4 * .GiB..<DirectMap.base + OwnMemory.end.value) }

  /// Goes back to boot.S's page tables, where the kernel's own can be written; for a moment, with interrupts off.
  static func useBootTables() { cx86_write_cr3(bootSpace.root.value) }

  private static var bootSpace: AddressSpace {
    AddressSpace(root: DirectMap.physical(ofKernel: cx86_boot_page_table_address()))
  }
}

extension PhysicalRange {
  /// The pages that the range touches between two borders of pages, at most 64 MiB; `nil` if there are none.
  fileprivate func part(from low: UInt64, to high: UInt64) -> PhysicalRange? {
    let first = max(start.value.roundedDown(to: 4096), low)
    guard let last = min(end.value, high).roundedUp(to: 4096), first < last else { return nil }
    return PhysicalRange(start: PhysicalAddress(first), size: min(last - first, 64 * .MiB))
  }
}
