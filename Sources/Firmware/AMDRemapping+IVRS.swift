// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// The IVRS (AMD I/O Virtualization 3.08, §5.2.1): from 48 on blocks that begin with type, flags and a length of 16 bits.
// An IOMMU may have several blocks, of types that grew with the years: 10h, 11h, 40h. The newest of them alone counts.

extension AMDRemapping {
  /// Reads the IVRS.
  package init<M: PhysicalMemory & ~Copyable>(
    _ tables: borrowing SystemTables, in memory: borrowing M
  ) throws(ACPIError) {
    self.init()
    let range = try tables.find(.ivrs, in: memory)
    guard let table = memory.bytes(at: range.start, count: range.size) else { throw ACPIError(.ivrs, .unreadable) }
    guard table.byteCount >= 48 else { throw ACPIError(.ivrs, .badLength) }
    var newest: UInt8 = 0
    try Self.eachBlock(table) { type, _ throws(ACPIError) in
      if type == 0x10 || type == 0x11 || type == 0x40 { newest = max(newest, type) }
    }
    guard newest != 0 else { throw ACPIError(.ivrs, .badEntry) }
    var built = self
    try Self.eachBlock(table) { type, block throws(ACPIError) in
      switch type {
      case newest: try built.addUnit(block, entriesAt: type == 0x10 ? 24 : 40)
      case 0x20, 0x21, 0x22: try built.addRegion(type, block)
      default: break
      }
    }
    self = built
  }

  private static func eachBlock(
    _ table: RawSpan, _ body: (UInt8, RawSpan) throws(ACPIError) -> Void
  ) throws(ACPIError) {
    var offset = 48
    // Each round moves on by at least 4 bytes, so the walk ends.
    while offset < table.byteCount {
      guard let type = table.load(offset, as: UInt8.self), let length = table.load(offset + 2, as: UInt16.self),
        length >= 4, let block = table.slice(offset, count: Int(length))
      else { throw ACPIError(.ivrs, .badEntry) }
      try body(type, block)
      offset += Int(length)
    }
  }

  /// §5.2.2.1
  private mutating func addUnit(_ block: RawSpan, entriesAt start: Int) throws(ACPIError) {
    guard block.byteCount >= start, let flags = block.load(1, as: UInt8.self),
      let device = block.load(4, as: UInt16.self), let capability = block.load(6, as: UInt16.self),
      let base = block.load(8, as: UInt64.self),
      let segment = block.load(16, as: UInt16.self)
    else { throw ACPIError(.ivrs, .badEntry) }
    guard base != 0, base.isAligned(to: 16 * .KiB), fits(base, count: 16 * .KiB, in: MemoryMap.end) else {
      throw ACPIError(.ivrs, .badAddress)
    }
    let unit = AMDRemappingUnit(
      registers: PhysicalAddress(base), function: FunctionAddress(segment: segment, requester: device),
      capability: capability, flags: flags)
    guard add(unit) else { throw ACPIError(.ivrs, .tooManyEntries) }

    var offset = start
    var open: AMDDeviceRange?
    while offset < block.byteCount {
      guard let length = Self.entryLength(block, at: offset), let entry = block.slice(offset, count: length) else {
        throw ACPIError(.ivrs, .badEntry)
      }
      try addEntry(entry, &open)
      offset += length
    }
    guard open == nil else { throw ACPIError(.ivrs, .badEntry) }
  }

  /// How long an entry is says its type's upper two bits (§5.2.2.2); a device named by AML says it itself (§5.2.2.6).
  private static func entryLength(_ block: RawSpan, at offset: Int) -> Int? {
    guard let type = block.load(offset, as: UInt8.self) else { return nil }
    if type < 240 { return 4 << Int(type >> 6) }
    return block.load(offset + 21, as: UInt8.self).map { 22 + Int($0) }
  }

  /// §5.2.2.2 to §5.2.2.5
  private mutating func addEntry(_ entry: RawSpan, _ open: inout AMDDeviceRange?) throws(ACPIError) {
    guard let type = entry.load(0, as: UInt8.self), let device = entry.load(1, as: UInt16.self) else {
      throw ACPIError(.ivrs, .badEntry)
    }
    var range = AMDDeviceRange(unit: unitCount - 1, first: device, last: device)
    if type == 66 || type == 67 { range.alias = entry.load(5, as: UInt16.self) }
    switch type {
    case 1:
      range.first = 0
      range.last = .max
      try insert(range)
    case 2, 66, 70: try insert(range)
    case 3, 67, 71:
      guard open == nil else { throw ACPIError(.ivrs, .badEntry) }
      open = range
    case 4:
      guard var started = open, started.first <= device else { throw ACPIError(.ivrs, .badEntry) }
      started.last = device
      open = nil
      try insert(started)
    case 72: try addController(entry)
    default: break  // padding, devices that AML names, and what is of the future
    }
  }

  private mutating func insert(_ range: AMDDeviceRange) throws(ACPIError) {
    guard add(range) else { throw ACPIError(.ivrs, .tooManyEntries) }
  }

  /// §5.2.2.5; what kind it is stands in the last byte: 1 for an I/O APIC, 2 for the timer.
  private mutating func addController(_ entry: RawSpan) throws(ACPIError) {
    guard let settings = entry.load(3, as: UInt8.self), let identifier = entry.load(4, as: UInt8.self),
      let device = entry.load(5, as: UInt16.self), let kind = entry.load(7, as: UInt8.self)
    else { throw ACPIError(.ivrs, .badEntry) }
    guard kind == 1 || kind == 2 else { return }
    let controller = AMDInterruptSource(
      unit: unitCount - 1, isIOAPIC: kind == 1, identifier: identifier, device: device, settings: settings)
    guard add(controller) else { throw ACPIError(.ivrs, .tooManyEntries) }
  }

  /// §5.2.2.7: for all devices, one, or several.
  private mutating func addRegion(_ type: UInt8, _ block: RawSpan) throws(ACPIError) {
    guard let device = block.load(4, as: UInt16.self), let end = block.load(6, as: UInt16.self),
      let segment = block.load(8, as: UInt16.self), let start = block.load(16, as: UInt64.self),
      let size = block.load(24, as: UInt64.self)
    else { throw ACPIError(.ivrs, .badEntry) }
    guard size > 0, fits(start, count: size, in: MemoryMap.end) else { throw ACPIError(.ivrs, .badAddress) }
    let range = PhysicalRange(start: PhysicalAddress(start), size: size)
    var region = AMDReservedRegion(range: range, segment: segment, first: device, last: device)
    if type == 0x20 {
      region.first = 0
      region.last = .max
    } else if type == 0x22 {
      guard device <= end else { throw ACPIError(.ivrs, .badEntry) }
      region.last = end
    }
    guard add(region) else { throw ACPIError(.ivrs, .tooManyEntries) }
  }
}
