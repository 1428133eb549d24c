// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension Capabilities {
  /// Reads both lists of a function with these ranges.
  init<A: ConfigurationAccess>(of function: FunctionAddress, _ ranges: borrowing RangeList, in access: A) {
    var found = Capabilities()
    let ends = access.eachCapability(of: function) { identifier, offset in
      found.add(identifier, at: offset, of: function, in: access)
    }
    // Only PCI Express has the extended list; elsewhere a window may show anything there.
    let endsToo =
      found.express == nil
      || access.eachExtendedCapability(of: function) { identifier, offset in
        found.addExtended(identifier, at: offset, of: function, in: access)
      }
    if let table = found.messageTable, !table.fits(ranges) {
      found.messageTable = nil
      found.isMalformed = true
    }
    if !ends || !endsToo { found.isMalformed = true }
    self = found
  }

  private mutating func add<A: ConfigurationAccess>(
    _ identifier: UInt8, at offset: Int, of function: FunctionAddress, in access: A
  ) {
    switch identifier {
    case 0x01 where power == nil && hasRoom(8, at: offset):
      let control = access.read16(function, offset + PowerRegister.control)
      power = PowerCapability(offset: offset, keepsState: control & PowerRegister.keepsState != 0)
    case 0x03 where productData == nil && hasRoom(8, at: offset): productData = offset
    case 0x05 where messages == nil && hasRoom(10, at: offset): addMessages(at: offset, of: function, in: access)
    case 0x10 where express == nil && hasRoom(20, at: offset):
      let word = access.read16(function, offset + ExpressRegister.capabilities)
      let features = access.read32(function, offset + ExpressRegister.deviceCapabilities)
      express = ExpressCapability(
        offset: offset, role: ExpressCapability.Role(rawValue: UInt8(truncatingIfNeeded: word.bits(4, count: 4))),
        version: UInt8(truncatingIfNeeded: word & 0xf), canReset: features & ExpressRegister.canReset != 0)
    case 0x11 where messageTable == nil && hasRoom(12, at: offset):
      messageTable = MSIXCapability(at: offset, of: function, in: access)
    case 0x13 where advanced == nil && hasRoom(6, at: offset):
      let features = access.read8(function, offset + AdvancedRegister.capabilities)
      if features & AdvancedRegister.canReset != 0 {
        advanced = AdvancedCapability(offset: offset, tellsPending: features & AdvancedRegister.canTellPending != 0)
      }
    default: break
    }
  }

  private mutating func addExtended<A: ConfigurationAccess>(
    _ identifier: UInt16, at offset: Int, of function: FunctionAddress, in access: A
  ) {
    guard offset <= Register.spaceSize - 8 else { return }
    switch identifier {
    case 0x0d where isolation == nil:
      let offered = access.read16(function, offset + IsolationRegister.capabilities)
      let enabled = access.read16(function, offset + IsolationRegister.control)
      isolation = IsolationCapability(
        offset: offset, offered: IsolationFlags(rawValue: offered), enabled: IsolationFlags(rawValue: enabled))
    case 0x0f where addressTranslation == nil: addressTranslation = offset
    default: break
    }
  }

  /// How long it is depends on what it can do (PCI Express 6.0, §7.7.1).
  private mutating func addMessages<A: ConfigurationAccess>(
    at offset: Int, of function: FunctionAddress, in access: A
  ) {
    let control = access.read16(function, offset + MSIRegister.control)
    let isWide = control & MSIRegister.wideAddress != 0
    let canMask = control & MSIRegister.canMask != 0
    let count = Int(control.bits(1, count: 3))
    guard count <= 5, hasRoom((isWide ? 14 : 10) + (canMask ? 10 : 0), at: offset) else {
      isMalformed = true
      return
    }
    messages = MSICapability(offset: offset, isWide: isWide, canMask: canMask, count: 1 << count)
  }

  private mutating func hasRoom(_ count: Int, at offset: Int) -> Bool {
    if offset <= 256 - count { return true }
    isMalformed = true
    return false
  }
}

extension MSIXCapability {
  init<A: ConfigurationAccess>(at offset: Int, of function: FunctionAddress, in access: A) {
    let table = access.read32(function, offset + MSIXRegister.table)
    let pending = access.read32(function, offset + MSIXRegister.pending)
    self.offset = offset
    count = Int(access.read16(function, offset + MSIXRegister.control).bits(0, count: 11)) + 1
    tableRange = Int(table & 7)
    tableOffset = UInt64(table & ~7)
    pendingRange = Int(pending & 7)
    pendingOffset = UInt64(pending & ~7)
  }

  /// Whether table and pending bits lie inside memory of the function (PCI Express 6.0, §7.7.2).
  func fits(_ list: borrowing RangeList) -> Bool {
    guard tableRange < 6, pendingRange < 6 else { return false }
    let table = list.ranges[tableRange]
    let pending = list.ranges[pendingRange]
    return table.isMemory && Bits.fits(tableOffset, count: 16 * UInt64(count), in: table.size)
      && pending.isMemory && Bits.fits(pendingOffset, count: (UInt64(count) + 63) / 64 * 8, in: pending.size)
  }
}
