// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
package import Firmware

// A device says where its registers are, and may say anything. These are the places that are somebody's already. They are
// refused by kind, since firmware calls more "reserved" than is:
//
//   usable, boot, acpi, other  memory, whoever has it by now: refused
//   reserved                   memory too (SMRAM, stolen by graphics), but also configuration windows, flash, and on some
//                              machines the whole place where devices are. So it is refused where memory is around it;
//                              above all memory, what devices answer there is named by other tables
//   below the end of the memory under 4 GiB   no processor asks a PCI device there, whatever the map leaves out
//   0xFEC00000 to 4 GiB        interrupt controllers, messages, timers, TPM, flash: the chipset's own
//
// Ports below 0x1000 are the chipset's; above, what ACPI's tables name, and what the description gives to others.

/// Where no device that is given away may be, whatever it says.
package struct TakenRanges: Sendable {
  /// Pieces of memory and of ports that are named one by one.
  package static var capacity: Int { 128 }
  /// Where devices' ports begin: the decoders of bridges know no smaller piece (PCI-to-PCI Bridge 1.2, §3.2.5.6).
  package static var firstPort: UInt64 { 0x1000 }
  /// From here to 4 GiB the chipset answers by itself.
  private static var chipset: Range<UInt64> { 0xfec0_0000..<0x1_0000_0000 }

  private let map: MemoryMap
  /// The ends of the memory below 4 GiB, and of all memory.
  private let lowEnd: UInt64
  private let end: UInt64
  private var memory: InlineArray<128, PhysicalRange> = InlineArray(
    repeating: PhysicalRange(start: PhysicalAddress(0), size: 0))
  private var memoryCount = 0
  private var ports: InlineArray<128, Range<UInt64>> = InlineArray(repeating: 0..<0)
  private var portCount = 0
  /// Whether there was no room for all: then all is taken.
  private var isIncomplete = false

  /// - Parameter map: The memory map as firmware claims it, nothing dealt out yet.
  package init(_ map: MemoryMap) {
    self.map = map
    var lowEnd: UInt64 = 1 * .MiB
    for index in 0..<map.freeCount {
      let range = map.freeRange(index)
      if range.start.value < 4 * .GiB { lowEnd = max(lowEnd, min(range.end.value, 4 * .GiB)) }
    }
    self.lowEnd = lowEnd
    end = max(lowEnd, map.highestFree.value)
  }

  /// Takes a piece of memory: registers that are the kernel's, or what firmware set aside.
  package mutating func take(_ range: PhysicalRange) {
    guard memoryCount < Self.capacity else { return isIncomplete = true }
    memory[memoryCount] = range
    memoryCount += 1
  }

  /// Takes ports.
  package mutating func take(ports range: Range<UInt64>) {
    guard portCount < Self.capacity else { return isIncomplete = true }
    ports[portCount] = range
    portCount += 1
  }

  // MARK: - Questions

  /// Whether a byte of this memory is not a device's that may be given away; `range` does not wrap.
  package func holds(_ range: PhysicalRange) -> Bool {
    guard !isIncomplete, range.start.value >= lowEnd else { return true }
    if range.start.value < Self.chipset.upperBound, range.end.value > Self.chipset.lowerBound { return true }
    for index in 0..<memoryCount where memory[index].overlaps(range) { return true }
    return isMemory(range)
  }

  private func isMemory(_ range: PhysicalRange) -> Bool {
    for index in 0..<map.freeCount where map.freeRange(index).overlaps(range) { return true }
    for index in 0..<map.withheldCount where map.withheld(index).range.overlaps(range) {
      guard map.withheld(index).kind == .reserved else { return true }
      if range.start.value >= 4 * .GiB, range.start.value < end { return true }
    }
    // A full map may have lost some.
    return map.withheldCount >= MemoryMap.capacity && range.start.value < end
  }

  /// Whether one of these ports is not a device's that may be given away.
  package func holds(ports range: Range<UInt64>) -> Bool {
    guard !isIncomplete, range.lowerBound >= Self.firstPort else { return true }
    for index in 0..<portCount where ports[index].overlaps(range) { return true }
    return false
  }
}
