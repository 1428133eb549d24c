// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// The MADT (ACPI 6.5, §5.2.12): local APIC address at 36, flags at 40, from 44 on entries that begin with their type
// and length.
//
// An entry that breaks the rules is left out, and counted; one whose length cannot be ends the table. A machine whose
// firmware wrote one bad entry of thirty has its cores all the same.

extension Topology {
  /// Reads the MADT.
  ///
  /// - Parameter reach: The highest number of a processor that interrupts can be sent to.
  package init<M: PhysicalMemory & ~Copyable>(
    _ tables: borrowing SystemTables, in memory: borrowing M, reach: UInt32 = .max
  ) throws(ACPIError) {
    self.init(reach: reach)
    let range = try tables.find(.madt, in: memory)
    guard let table = memory.bytes(at: range.start, count: range.size) else { throw ACPIError(.madt, .unreadable) }
    guard let address = table.load(36, as: UInt32.self), let flags = table.load(40, as: UInt32.self) else {
      throw ACPIError(.madt, .badLength)
    }
    localAPIC = PhysicalAddress(UInt64(address))
    has8259 = flags & 1 != 0

    var offset = 44
    // Each round moves on by at least 2 bytes, so the walk ends.
    while offset < table.byteCount {
      guard let length = table.load(offset + 1, as: UInt8.self), length >= 2,
        let entry = table.slice(offset, count: Int(length))
      else {
        noteBadEntry()
        break
      }
      if !add(entry) { noteBadEntry() }
      offset += Int(length)
    }
    guard localAPIC.value != 0, localAPIC.value.isAligned(to: 4096), localAPIC < PhysicalAddress(MemoryMap.end) else {
      throw ACPIError(.madt, .badAddress)
    }
    guard processorCount > 0 else { throw ACPIError(.madt, .badEntry) }
  }

  /// - Returns: Whether the entry is long enough, and says what can be.
  private mutating func add(_ entry: RawSpan) -> Bool {
    let isKnown: Bool? =
      switch entry.load(0, as: UInt8.self) {
      case 0: addLocalAPIC(entry)
      case 1: addIOAPIC(entry)
      case 2: addOverride(entry)
      case 3: addNMISource(entry)
      case 4: addNMI(entry, flagsAt: 3, inputAt: 5, processor: entry.load(2, as: UInt8.self).map { Self.widened($0) })
      case 5: setLocalAPIC(entry)
      case 9: addLocalX2APIC(entry)
      case 10: addNMI(entry, flagsAt: 2, inputAt: 8, processor: entry.load(4, as: UInt32.self))
      default: true  // entries for other architectures, and those of the future
      }
    return isKnown == true
  }

  // Each of these answers `nil` if the entry is too short, and `false` if it says what cannot be.

  /// §5.2.12.2; flag 0 is "enabled".
  private mutating func addLocalAPIC(_ entry: RawSpan) -> Bool? {
    guard let uid = entry.load(2, as: UInt8.self), let id = entry.load(3, as: UInt8.self),
      let flags = entry.load(4, as: UInt32.self)
    else { return nil }
    // 255 names all processors at once and so none.
    if flags & 1 != 0, id != 0xff { addProcessor(apicID: UInt32(id), uid: UInt32(uid)) }
    return true
  }

  /// §5.2.12.12
  private mutating func addLocalX2APIC(_ entry: RawSpan) -> Bool? {
    guard let id = entry.load(4, as: UInt32.self), let flags = entry.load(8, as: UInt32.self) else { return nil }
    // Without the last field it is one that nothing else speaks of.
    if flags & 1 != 0, id != 0xffff_ffff {
      addProcessor(apicID: id, uid: entry.load(12, as: UInt32.self) ?? LocalNMI.everyProcessor)
    }
    return true
  }

  /// §5.2.12.3
  private mutating func addIOAPIC(_ entry: RawSpan) -> Bool? {
    guard let id = entry.load(2, as: UInt8.self), let address = entry.load(4, as: UInt32.self),
      let gsiBase = entry.load(8, as: UInt32.self)
    else { return nil }
    guard address != 0, address.isAligned(to: 16) else { return false }
    return addIOAPIC(IOAPICDescription(id: id, address: PhysicalAddress(UInt64(address)), gsiBase: gsiBase))
  }

  /// §5.2.12.5
  private mutating func addOverride(_ entry: RawSpan) -> Bool? {
    guard let irq = entry.load(3, as: UInt8.self), let gsi = entry.load(4, as: UInt32.self),
      let flags = entry.load(8, as: UInt16.self)
    else { return nil }
    let (isActiveLow, isLevelTriggered) = Self.signalling(flags)
    setRoute(isa: irq, InterruptRoute(gsi: gsi, isActiveLow: isActiveLow, isLevelTriggered: isLevelTriggered))
    return true
  }

  /// §5.2.12.6
  private mutating func addNMISource(_ entry: RawSpan) -> Bool? {
    guard let flags = entry.load(2, as: UInt16.self), let gsi = entry.load(4, as: UInt32.self) else { return nil }
    let (isActiveLow, isLevelTriggered) = Self.signalling(flags)
    addNMISource(InterruptRoute(gsi: gsi, isActiveLow: isActiveLow, isLevelTriggered: isLevelTriggered))
    return true
  }

  /// §5.2.12.7, §5.2.12.13
  private mutating func addNMI(_ entry: RawSpan, flagsAt: Int, inputAt: Int, processor: UInt32?) -> Bool? {
    guard let processor, let flags = entry.load(flagsAt, as: UInt16.self),
      let input = entry.load(inputAt, as: UInt8.self)
    else { return nil }
    let (isActiveLow, isLevelTriggered) = Self.signalling(flags)
    addNMI(LocalNMI(processor: processor, input: input, isActiveLow: isActiveLow, isLevelTriggered: isLevelTriggered))
    return true
  }

  /// §5.2.12.8
  private mutating func setLocalAPIC(_ entry: RawSpan) -> Bool? {
    guard let address = entry.load(4, as: UInt64.self) else { return nil }
    localAPIC = PhysicalAddress(address)
    return true
  }

  /// Polarity in bits 0 and 1, trigger in bits 2 and 3; 3 is "active low" and "level", 0 is the ISA bus's custom.
  private static func signalling(_ flags: UInt16) -> (isActiveLow: Bool, isLevelTriggered: Bool) {
    (flags.bits(0, count: 2) == 3, flags.bits(2, count: 2) == 3)
  }

  /// A UID of one byte, whose 255 means every processor.
  private static func widened(_ uid: UInt8) -> UInt32 { uid == 0xff ? LocalNMI.everyProcessor : UInt32(uid) }
}
