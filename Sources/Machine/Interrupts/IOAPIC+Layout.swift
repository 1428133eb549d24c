// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// Registers and their bits (Intel 82093AA data sheet, §3; ICH9 data sheet, §13.5).
extension IOAPIC {
  /// Offsets into the window.
  enum Window {
    static var index: UInt32            { 0x00 }   // IOREGSEL
    static var data: UInt32             { 0x10 }   // IOWIN
    static var endOfInterrupt: UInt32   { 0x40 }   // EOI       since version 0x20
  }

  /// What the index register selects.
  enum Register {
    static var identity: UInt8          { 0x00 }   // IOAPICID
    static var version: UInt8           { 0x01 }   // IOAPICVER
    static var arbitration: UInt8       { 0x02 }   // IOAPICARB
    static var redirection: UInt8       { 0x10 }   // IOREDTBL  two for each pin, low half first
  }

  /// The lower half of a redirection entry (§3.2.4).
  struct Redirection: Flags {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }
    static var logical: Self            { .bit(11) }
    static var activeLow: Self          { .bit(13) }
    static var remoteIRR: Self          { .bit(14) }
    static var levelTriggered: Self     { .bit(15) }
    static var masked: Self             { .bit(16) }
    static var writable: UInt32         { 0x0001_afff }

    var vector: UInt8                   { UInt8(truncatingIfNeeded: rawValue) }
    var mode: DeliveryMode?             { DeliveryMode(rawValue: UInt8(rawValue.bits(8, count: 3))) }
  }

  /// Version 0x20, the last pin is number 23.
  static var versionWord: UInt32        { 0x0017_0020 }
}
