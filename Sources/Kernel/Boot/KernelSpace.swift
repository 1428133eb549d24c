// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Firmware
import X86

/// The kernel's own address space, as every core and every domain has it: its image, the memory that is its own, the boot
/// image, and the registers it works with. Nothing else is mapped, so that nothing else can be read by speculation or by a
/// mistake, and no page is in it twice.
enum KernelSpace {
  /// Where the cores' stacks are: 256 KiB apart. In the lower half of each are those for traps (`TrapStack`), with
  /// unmapped memory below every one, so that an overflow traps.
  static var stacks: UInt64 { DirectMap.kernelBase + 1 * .GiB }
  static var stackStride: UInt64 { 256 * .KiB }
  static var stackSize: UInt64 { 128 * .KiB }

  /// Maps the kernel with its code read-only and its data not executable, the rest of `outside`, and from then on whatever
  /// `memory` deals out.
  static func build(_ outside: OutsideMemory, from memory: inout BootMemory) throws(BootError) -> AddressSpace {
    let space = try AddressSpace(&memory)
    let data: PageTableEntry = .writable | .noExecute
    let (text, readOnly, writable, last) = layout
    try map(text, readOnly, .none, space, &memory)
    try map(readOnly, writable, .noExecute, space, &memory)
    try map(writable, last, data, space, &memory)
    try map(outside.lowPage, DirectMap.base, data, space, &memory)
    for index in 0..<2 { try map(outside.modules[index], DirectMap.base, .noExecute, space, &memory) }
    try prepareDirectMap(space, &memory)
    try memory.use(space)
    for index in 0..<outside.registers.count { try memory.showRegisters(outside.registers[index]) }
    return space
  }

  /// Where the kernel's code, constants, data and end are.
  static var layout: (text: UInt64, readOnly: UInt64, data: UInt64, end: UInt64) {
    (
      kernel_text_start_address(), kernel_text_end_address(), kernel_read_only_end_address(),
      kernel_end_address()
    )
  }

  /// Bytes of the kernel in memory.
  static var size: UInt64 { layout.end - layout.text }

  /// Makes the tables for all memory that may become the kernel's: a page for each GiB, so that mapping a piece of it takes
  /// no further one.
  private static func prepareDirectMap(_ space: AddressSpace, _ memory: inout BootMemory) throws(BootError) {
    let free = memory.map
    for index in 0..<free.freeCount {
      let range = free.freeRange(index)
      var address = range.start.value.roundedDown(to: .GiB)
      while address < min(range.end.value, OwnMemory.end.value) {
        try space.makeTables(for: DirectMap.base + address, from: &memory)
        address += .GiB
      }
    }
    if let last = free.freeCount > 0 ? free.freeRange(free.freeCount - 1).end : nil, last > OwnMemory.end {
      log(.information, "memory from 512 GiB on is for guests alone")
    }
  }

  private static func map(
    _ start: UInt64, _ end: UInt64, _ flags: PageTableEntry, _ space: AddressSpace, _ memory: inout BootMemory
  ) throws(BootError) {
    try space.map(
      start, to: DirectMap.physical(ofKernel: start), size: end - start, flags, largest: .small, from: &memory)
  }

  /// Maps the pages that `range` touches, shifted by `base`.
  private static func map(
    _ range: PhysicalRange, _ base: UInt64, _ flags: PageTableEntry, _ space: AddressSpace, _ memory: inout BootMemory
  ) throws(BootError) {
    guard range.size > 0 else { return }
    let start = range.start.value.roundedDown(to: 4096)
    guard fits(start, count: range.end.value &- start, in: OwnMemory.end.value),
      let end = range.end.value.roundedUp(to: 4096)
    else { throw .refused("the boot image lies above 512 GiB") }
    try space.map(base + start, to: PhysicalAddress(start), size: end - start, flags, from: &memory)
  }
}

/// What the kernel maps that was not dealt out to it.
struct OutsideMemory {
  /// The boot image's modules; empty where there are fewer than two.
  var modules: InlineArray<2, PhysicalRange>
  /// The page below 1 MiB for the code that starts cores.
  let lowPage: PhysicalRange
  /// Registers that the kernel uses.
  private(set) var registers = FixedList<64, PhysicalRange>()

  init(_ loader: BootInformation, lowPage: PhysicalAddress) {
    let nothing = PhysicalRange(start: PhysicalAddress(0), size: 0)
    modules = [loader.bootImage ?? nothing, loader.material ?? nothing]
    self.lowPage = PhysicalRange(start: lowPage, size: 4096)
  }

  /// Adds registers; those that this processor cannot reach the kernel does not use.
  mutating func add(_ range: PhysicalRange) throws(BootError) {
    guard range.size > 0, fits(range.start.value, count: range.size, in: DeviceMap.end.value) else { return }
    try registers.append(range, orSay: "the machine has too many controllers")
  }
}
