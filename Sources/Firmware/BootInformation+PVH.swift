// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

// PVH: the loader enters with the address of an `hvm_start_info` in ebx (Xen, docs/misc/pvh; version 1 has the map).
//
//   0 magic   4 version   8 flags   12 modules   16 module list   24 command line   32 RSDP   40 map   48 entries
//   module: 0 address   8 size   16 command line   24 reserved
//   map entry: 0 address   8 size   16 type   20 reserved

extension BootInformation {
  /// Reads what a PVH loader left at `address`.
  package init<M: PhysicalMemory & ~Copyable>(
    pvh address: PhysicalAddress, in memory: borrowing M
  ) throws(BootInformationError) {
    self.init()
    guard let bytes = memory.bytes(at: address, count: 56) else { throw .unreadable }
    guard bytes.load(0, as: UInt32.self) == 0x336e_c578 else { throw .badMagic }
    guard let version = bytes.load(4, as: UInt32.self), version >= 1,
      let mapStart = bytes.load(40, as: UInt64.self), let mapCount = bytes.load(48, as: UInt32.self), mapCount > 0
    else { throw .noMemoryMap }
    try addMap(start: PhysicalAddress(mapStart), count: UInt64(mapCount), in: memory)
    memoryMap.reserve(start: address, size: 56)

    guard let moduleList = bytes.load(16, as: UInt64.self), let moduleCount = bytes.load(12, as: UInt32.self),
      let commandLine = bytes.load(24, as: UInt64.self), let root = bytes.load(32, as: UInt64.self)
    else { throw .unreadable }
    try addModules(start: PhysicalAddress(moduleList), count: UInt64(moduleCount), in: memory)
    if commandLine != 0 { addCommandLine(start: PhysicalAddress(commandLine), in: memory) }
    if root != 0 { rsdp = PhysicalAddress(root) }
  }

  private mutating func addMap<M: PhysicalMemory & ~Copyable>(
    start: PhysicalAddress, count: UInt64, in memory: borrowing M
  ) throws(BootInformationError) {
    guard count <= Self.entryCapacity else { throw .badMemoryMap }
    guard let entries = memory.bytes(at: start, count: count * 24) else { throw .unreadable }
    for index in 0..<Int(count) {
      guard let entry = entries.slice(index * 24, count: 24) else { throw .badMemoryMap }
      add(entry)
    }
    memoryMap.reserve(start: start, size: count * 24)
  }

  private mutating func addModules<M: PhysicalMemory & ~Copyable>(
    start: PhysicalAddress, count: UInt64, in memory: borrowing M
  ) throws(BootInformationError) {
    guard count > 0 else { return }
    guard count <= UInt64(Self.moduleCapacity) else { throw .tooManyModules }
    guard let list = memory.bytes(at: start, count: count * 32) else { throw .unreadable }
    for index in 0..<Int(count) {
      guard let address = list.load(index * 32, as: UInt64.self), let size = list.load(index * 32 + 8, as: UInt64.self)
      else { throw .unreadable }
      try addModule(start: address, size: size, index: index)
    }
    memoryMap.reserve(start: start, size: count * 32)
  }

  /// Takes a map entry of 24 bytes: address, size and type, which E820, PVH and multiboot2 number alike
  /// (ACPI 6.5, §15.1; multiboot2, §3.6.8).
  mutating func add(_ entry: RawSpan) {
    guard let start = entry.load(0, as: UInt64.self), let size = entry.load(8, as: UInt64.self),
      let type = entry.load(16, as: UInt32.self)
    else { return }
    let kind: MemoryKind =
      switch type {
      case 1: .usable
      case 2, 5: .reserved
      case 3, 4: .acpi
      default: .other
      }
    memoryMap.add(start: PhysicalAddress(start), size: size, kind: kind)
  }
}
