// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import PCI

/// The capabilities that a guest is shown (PCI Local Bus 3.0, §6.7).
extension FilteredConfiguration {
  private enum Identifier {
    static var power: UInt32 { 0x01 }
    static var productData: UInt32 { 0x03 }
    static var message: UInt32 { 0x05 }
    static var express: UInt32 { 0x10 }
    static var table: UInt32 { 0x11 }
  }

  /// Goes through the function's list; of several of one kind the first counts.
  mutating func addCapabilities<F: PhysicalFunction>(of function: F) {
    guard function.readConfiguration(0x06, width: 2) & 1 << 4 != 0 else { return }
    var seen: UInt32 = 0
    var used: UInt64 = 0
    var offset = Int(function.readConfiguration(0x34, width: 1)) & 0xfc
    // No more than 48 have room.
    for _ in 0..<48 {
      guard offset >= 0x40 else { return }
      let header = function.readConfiguration(offset, width: 4)
      let identifier = header & 0xff
      let length = Self.length(identifier, header)
      if length > 0, offset + length <= 256, seen & 1 << identifier == 0 {
        let words: UInt64 = ((1 << UInt64((length + 3) / 4)) - 1) << UInt64(offset / 4)
        if used & words == 0 {
          seen |= 1 << identifier
          used |= words
          add(identifier, header, at: offset, of: function)
        }
      }
      offset = Int(header >> 8) & 0xfc
    }
  }

  /// Bytes of a capability that is shown; 0 for one that is not.
  private static func length(_ identifier: UInt32, _ header: UInt32) -> Int {
    switch identifier {
    case Identifier.power, Identifier.productData: 8
    case Identifier.message: header & 1 << 23 != 0 ? 14 : 10
    case Identifier.table: 12
    // The second version has all registers, whether or not they mean anything (PCI Express 6.0, §7.5.3).
    case Identifier.express: header >> 16 & 0xf >= 2 ? 0x3c : 0x14
    default: 0
    }
  }

  private mutating func add<F: PhysicalFunction>(
    _ identifier: UInt32, _ header: UInt32, at offset: Int, of function: F
  ) {
    let upper = UInt16(truncatingIfNeeded: header >> 16)
    if identifier == Identifier.table, addTable(upper, at: offset, of: function) == .impossible { return }
    space.placeCapability(UInt8(truncatingIfNeeded: identifier), at: UInt8(truncatingIfNeeded: offset))
    switch identifier {
    case Identifier.power: addPower(upper, at: offset)
    case Identifier.productData:
      pass(0xffff_0000, writable: 0x7fff_0000, at: offset)
      pass(0xffff_ffff, writable: 0, at: offset + 4)
    case Identifier.message: addMessage(upper, at: offset)
    case Identifier.express: addExpress(upper, at: offset, of: function)
    default: break
    }
  }

  /// The state is the guest's own note: the function stays awake, so it loses nothing (bit 3), and wakes nobody.
  private mutating func addPower(_ features: UInt16, at offset: Int) {
    show16(features & 0x07ff, at: offset + 2)
    show16(1 << 3, at: offset + 4)
    keep(3, at: offset + 4)
  }

  /// One message without a mask of its own.
  private mutating func addMessage(_ control: UInt16, at offset: Int) {
    let isWide = control & 1 << 7 != 0
    show16(control & 1 << 7, at: offset + 2)
    keep(1 << 16, at: offset)
    keep(0xffff_fffc, at: offset + 4)
    if isWide { keep(0xffff_ffff, at: offset + 8) }
    keep(0xffff, at: offset + (isWide ? 12 : 8))
    note(MessagePlace(offset: UInt8(truncatingIfNeeded: offset), isWide: isWide))
  }

  private enum TableAnswer { case shown, impossible }

  private mutating func addTable<F: PhysicalFunction>(
    _ control: UInt16, at offset: Int, of function: F
  ) -> TableAnswer {
    let table = function.readConfiguration(offset + 4, width: 4)
    let pending = function.readConfiguration(offset + 8, width: 4)
    let count = Int(control & 0x7ff) + 1
    let place = TablePlace(
      offset: UInt8(truncatingIfNeeded: offset), count: min(count, 16), trueCount: count, range: Int(table & 7),
      start: UInt64(table & ~7), pendingRange: Int(pending & 7), pendingStart: UInt64(pending & ~7))
    guard hasMemory(place.range, place.start, count: UInt64(count) * 16),
      hasMemory(place.pendingRange, place.pendingStart, count: UInt64(count + 63) / 64 * 8)
    else { return .impossible }
    show16(UInt16(place.count - 1), at: offset + 2)
    keep(0xc000_0000, at: offset)
    show(table, at: offset + 4)
    show(pending, at: offset + 8)
    note(place)
    return .shown
  }

  /// As a device of the root itself, which has no link: there is no port above it in the guest.
  private mutating func addExpress<F: PhysicalFunction>(_ features: UInt16, at offset: Int, of function: F) {
    let isEndpoint = features >> 4 & 0xf <= 1
    show16(isEndpoint ? features & 0xff0f | 9 << 4 : features, at: offset + 2)
    // A reset is the VM's to begin, not the guest's (bit 28).
    show(function.readConfiguration(offset + 4, width: 4) & ~(1 << 28), at: offset + 4)
    pass(0xffff_ffff, writable: 0x000f_7810, at: offset + 8)
  }
}
