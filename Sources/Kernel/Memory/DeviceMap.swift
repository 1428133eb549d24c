// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import X86
import _Volatile

/// The registers of devices that the kernel has mapped for itself, uncached, wherever in physical memory they are.
struct DeviceMap {
  /// Which they are, for all who use them.
  let registers: Cell<RegisterMap>
  private let space: AddressSpace

  init(_ space: AddressSpace, from memory: inout BootMemory) throws(BootError) {
    self.space = space
    registers = try memory.cell(RegisterMap(from: DirectMap.deviceBase, to: DirectMap.deviceEnd))
  }

  /// The first address that this processor has no wires for: no entry of a page table may name it.
  static var end: PhysicalAddress {
    let width = cx86_cpuid(0x8000_0000, 0).eax >= 0x8000_0008 ? cx86_cpuid(0x8000_0008, 0).eax & 0xff : 36
    return PhysicalAddress(1 << UInt64(min(max(width, 32), 52)))
  }

  /// Maps the pages that `range` touches; at boot, before the other cores run domains.
  func show(_ range: PhysicalRange, from memory: inout BootMemory) throws(BootError) {
    guard fits(range.start.value, count: range.size, in: Self.end.value), let pages = registers.value.add(range) else {
      throw .refused("there are registers where the kernel can map none")
    }
    try space.map(
      pages.place, to: pages.range.start, size: pages.range.size, .writable | .noExecute | .uncached, largest: .small,
      from: &memory)
  }
}

extension BootMemory {
  /// Has the kernel's own address space hold the registers in `range`.
  mutating func showRegisters(_ range: PhysicalRange) throws(BootError) {
    guard let devices else { throw .refused("registers are mapped before the kernel has tables of its own") }
    try devices.show(range, from: &self)
  }
}

/// A register of a device in memory.
struct DeviceRegister {
  private let address: UInt

  /// `nil` if the kernel does not have all of it mapped.
  init?(_ place: PhysicalAddress, width: Int, in registers: Cell<RegisterMap>) {
    guard let place = registers.value.place(of: place, count: UInt64(width)) else { return nil }
    address = UInt(place)
  }

  func read(width: Int) -> UInt64 {
    // SAFETY: the whole register is among those that are mapped uncached, for good.
    switch width {
    case 1: unsafe UInt64(VolatileMappedRegister<UInt8>(unsafeBitPattern: address).load())
    case 2: unsafe UInt64(VolatileMappedRegister<UInt16>(unsafeBitPattern: address).load())
    case 4: unsafe UInt64(VolatileMappedRegister<UInt32>(unsafeBitPattern: address).load())
    default: unsafe VolatileMappedRegister<UInt64>(unsafeBitPattern: address).load()
    }
  }

  func write(_ value: UInt64, width: Int) {
    // SAFETY: as in `read`.
    switch width {
    case 1: unsafe VolatileMappedRegister<UInt8>(unsafeBitPattern: address).store(UInt8(truncatingIfNeeded: value))
    case 2: unsafe VolatileMappedRegister<UInt16>(unsafeBitPattern: address).store(UInt16(truncatingIfNeeded: value))
    case 4: unsafe VolatileMappedRegister<UInt32>(unsafeBitPattern: address).store(UInt32(truncatingIfNeeded: value))
    default: unsafe VolatileMappedRegister<UInt64>(unsafeBitPattern: address).store(value)
    }
  }
}
