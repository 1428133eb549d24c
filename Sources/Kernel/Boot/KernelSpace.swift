// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import X86

/// The kernel's own address space, as every core and every domain has it.
enum KernelSpace {
  /// Where the cores' stacks are: 256 KiB apart. In the lower half of each are those for traps (`TrapStack`), with
  /// unmapped memory below every one, so that an overflow traps.
  static var stacks: UInt64 { DirectMap.kernelBase + 1 * .GiB }
  static var stackStride: UInt64 { 256 * .KiB }
  static var stackSize: UInt64 { 128 * .KiB }

  /// Maps memory up to `end`, device registers, and the kernel with its code read-only and its data not executable.
  static func build(
    end: UInt64, hasGiBPages: Bool, from memory: inout BootMemory
  ) throws(BootError) -> AddressSpace {
    let space = try AddressSpace(&memory)
    let largest = hasGiBPages ? PageSize.huge : .large
    let data: PageTableEntry = .writable | .noExecute
    try space.map(
      DirectMap.base, to: PhysicalAddress(0), size: end, data, largest: largest, from: &memory)
    try space.map(
      DirectMap.deviceBase, to: PhysicalAddress(0), size: 4 * .GiB, data | .uncached, largest: largest, from: &memory)
    let (text, readOnly, writable, last) = layout
    try map(text, readOnly, .none, space, &memory)
    try map(readOnly, writable, .noExecute, space, &memory)
    try map(writable, last, data, space, &memory)
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

  private static func map(
    _ start: UInt64, _ end: UInt64, _ flags: PageTableEntry, _ space: AddressSpace, _ memory: inout BootMemory
  ) throws(BootError) {
    try space.map(
      start, to: DirectMap.physical(ofKernel: start), size: end - start, flags, largest: .small, from: &memory)
  }
}
