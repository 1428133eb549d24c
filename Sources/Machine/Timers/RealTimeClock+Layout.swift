// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// The bytes of the CMOS memory that mean something to the clock or to those who read what the firmware left.
extension RealTimeClock {
  enum Register {
    static var seconds: Int          { 0x00 }
    static var secondsAlarm: Int     { 0x01 }
    static var minutes: Int          { 0x02 }
    static var minutesAlarm: Int     { 0x03 }
    static var hours: Int            { 0x04 }
    static var hoursAlarm: Int       { 0x05 }
    static var weekday: Int          { 0x06 }
    static var day: Int              { 0x07 }
    static var month: Int            { 0x08 }
    static var year: Int             { 0x09 }
    static var a: Int                { 0x0a }
    static var b: Int                { 0x0b }
    static var c: Int                { 0x0c }
    static var d: Int                { 0x0d }
    static var equipment: Int        { 0x14 }
    static var baseMemory: Int       { 0x15 }   // KiB below 1 MiB
    static var extendedMemory: Int   { 0x17 }   // KiB above 1 MiB, at most 65535; again at 0x30
    static var checksum: Int         { 0x2e }   // of 0x10 to 0x2d, high byte first
    static var extendedMemory2: Int  { 0x30 }
    static var century: Int          { 0x32 }   // as the FADT says
    static var memoryAbove16M: Int   { 0x34 }   // units of 64 KiB
    static var memoryAbove4G: Int    { 0x5b }   // units of 64 KiB, three bytes
  }

  /// Register A (MC146818A data sheet): UIP, divider, rate.
  struct ControlA: Flags {
    let rawValue: UInt8
    init(rawValue: UInt8) { self.rawValue = rawValue }
    static var updateInProgress: Self { .bit(7) }      // UIP   read-only
    static var written: Self          { Self(rawValue: 0x7f) }

    var divider: UInt8                { rawValue.bits(4, count: 3) }   // DV    2 runs from the 32768 Hz crystal
    var rate: UInt8                   { rawValue.bits(0, count: 4) }   // RS
    /// Larger values hold the divider in reset, or test the chip.
    var isDividerRunning: Bool        { divider <= 2 }
  }

  /// Register B.
  struct ControlB: Flags {
    let rawValue: UInt8
    init(rawValue: UInt8) { self.rawValue = rawValue }
    static var hours24: Self          { .bit(1) }      // 24/12
    static var binary: Self           { .bit(2) }      // DM
    static var squareWave: Self       { .bit(3) }      // SQWE
    static var updateInterrupt: Self  { .bit(4) }      // UIE
    static var alarmInterrupt: Self   { .bit(5) }      // AIE
    static var periodInterrupt: Self  { .bit(6) }      // PIE
    static var set: Self              { .bit(7) }      // SET   updates stop
    static var interrupts: Self       { updateInterrupt | alarmInterrupt | periodInterrupt }
  }

  /// Register C: the flags have the places of their enables in register B.
  struct Causes: Flags {
    let rawValue: UInt8
    init(rawValue: UInt8) { self.rawValue = rawValue }
    static var update: Self           { .bit(4) }      // UF
    static var alarm: Self            { .bit(5) }      // AF
    static var period: Self           { .bit(6) }      // PF
    static var interrupt: Self        { .bit(7) }      // IRQF
  }
}
