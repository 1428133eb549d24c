// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// The DMAR (VT-d 4.1, §8.1): address width less 1 at 36, flags at 37, from 48 on entries that begin with their type and
// length, 16 bits each.

extension IntelRemapping {
  /// Reads the DMAR.
  package init<M: PhysicalMemory & ~Copyable>(
    _ tables: borrowing SystemTables, in memory: borrowing M
  ) throws(ACPIError) {
    self.init()
    let range = try tables.find(.dmar, in: memory)
    guard let table = memory.bytes(at: range.start, count: range.size) else { throw ACPIError(.dmar, .unreadable) }
    guard table.byteCount >= 48, let width = table.load(36, as: UInt8.self), let flags = table.load(37, as: UInt8.self)
    else { throw ACPIError(.dmar, .badLength) }
    addressWidth = Int(width) + 1
    canRemapInterrupts = flags & 1 != 0
    forbidsX2APIC = flags & 2 != 0

    var offset = 48
    // Each round moves on by at least 4 bytes, so the walk ends.
    while offset < table.byteCount {
      guard let length = table.load(offset + 2, as: UInt16.self), length >= 4,
        let entry = table.slice(offset, count: Int(length))
      else { throw ACPIError(.dmar, .badEntry) }
      switch entry.load(0, as: UInt16.self) {
      case 0: try addUnit(entry)
      case 1: try addRegion(entry)
      default: break  // caches of devices, nearness to processors, names in AML, and what is of the future
      }
      offset += Int(length)
    }
    guard unitCount > 0 else { throw ACPIError(.dmar, .badEntry) }
  }

  /// §8.3
  private mutating func addUnit(_ entry: RawSpan) throws(ACPIError) {
    guard let flags = entry.load(4, as: UInt8.self), let size = entry.load(5, as: UInt8.self),
      let segment = entry.load(6, as: UInt16.self), let base = entry.load(8, as: UInt64.self)
    else { throw ACPIError(.dmar, .badEntry) }
    let bytes = MemoryMap.pageSize << UInt64(size & 15)
    guard base != 0, base.isAligned(to: MemoryMap.pageSize), fits(base, count: bytes, in: MemoryMap.end) else {
      throw ACPIError(.dmar, .badAddress)
    }
    let unit = IntelRemappingUnit(
      registers: PhysicalRange(start: PhysicalAddress(base), size: bytes), segment: segment,
      hasAllOthers: flags & 1 != 0, scopes: try addScopes(entry, from: 16, segment))
    guard add(unit) else { throw ACPIError(.dmar, .tooManyEntries) }
  }

  /// §8.4: the last byte is named, not the first behind.
  private mutating func addRegion(_ entry: RawSpan) throws(ACPIError) {
    guard let segment = entry.load(6, as: UInt16.self), let first = entry.load(8, as: UInt64.self),
      let last = entry.load(16, as: UInt64.self)
    else { throw ACPIError(.dmar, .badEntry) }
    guard first <= last, last < MemoryMap.end else { throw ACPIError(.dmar, .badAddress) }
    let region = IntelReservedRegion(
      range: PhysicalRange(start: PhysicalAddress(first), size: last - first + 1), segment: segment,
      scopes: try addScopes(entry, from: 24, segment))
    guard add(region) else { throw ACPIError(.dmar, .tooManyEntries) }
  }

  private mutating func addScopes(
    _ entry: RawSpan, from start: Int, _ segment: UInt16
  ) throws(ACPIError) -> Range<Int> {
    let first = scopeCount
    var offset = start
    while offset < entry.byteCount {
      guard let length = entry.load(offset + 1, as: UInt8.self), length >= 6,
        let part = entry.slice(offset, count: Int(length))
      else { throw ACPIError(.dmar, .badEntry) }
      try addScope(part, segment)
      offset += Int(length)
    }
    return first..<scopeCount
  }

  /// §8.3.1: type, length, flags, a reserved byte, identifier, bus, and two bytes for each step.
  private mutating func addScope(_ part: RawSpan, _ segment: UInt16) throws(ACPIError) {
    guard let type = part.load(0, as: UInt8.self), let identifier = part.load(4, as: UInt8.self),
      let bus = part.load(5, as: UInt8.self), part.byteCount >= 8, part.byteCount % 2 == 0
    else { throw ACPIError(.dmar, .badEntry) }
    // What is of the future is no device that this program could give to anybody.
    guard let kind = DeviceScope.Kind(rawValue: type) else { return }
    var scope = DeviceScope()
    scope.kind = kind
    scope.identifier = identifier
    scope.segment = segment
    scope.startBus = bus
    for offset in stride(from: 6, to: part.byteCount, by: 2) {
      guard let device = part.load(offset, as: UInt8.self), let function = part.load(offset + 1, as: UInt8.self) else {
        throw ACPIError(.dmar, .badEntry)
      }
      guard device < 32, function < 8 else { throw ACPIError(.dmar, .badEntry) }
      guard scope.addHop(device: device, function: function) else { throw ACPIError(.dmar, .tooManyEntries) }
    }
    guard add(scope) else { throw ACPIError(.dmar, .tooManyEntries) }
  }
}
