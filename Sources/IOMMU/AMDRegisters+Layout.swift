// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

// Registers of an AMD IOMMU (AMD I/O Virtualization 3.08, §3.4).
extension RemappingRegister<PlainWord> {
  static var deviceTable: Self        { Self(offset: 0x0000) }   // pages less 1 in bits 0-8
  static var commandBuffer: Self      { Self(offset: 0x0008) }   // 2^(bits 56-59) entries
  static var eventLog: Self           { Self(offset: 0x0010) }   // likewise
  static var exclusionBase: Self      { Self(offset: 0x0020) }
  static var commandHead: Self        { Self(offset: 0x2000) }   // bytes from the buffer's start
  static var commandTail: Self        { Self(offset: 0x2008) }
  static var eventHead: Self          { Self(offset: 0x2010) }
  static var eventTail: Self          { Self(offset: 0x2018) }
}
extension RemappingRegister<AMDControl> {
  static var control: Self            { Self(offset: 0x0018) }
}
extension RemappingRegister<AMDExtensions> {
  static var amdExtensions: Self      { Self(offset: 0x0030) }
}
extension RemappingRegister<AMDStatus> {
  static var amdStatus: Self          { Self(offset: 0x2020) }
}

/// §3.4.1, MMIO offset 0018h
struct AMDControl: Flags {
  let rawValue: UInt64
  init(rawValue: UInt64) { self.rawValue = rawValue }

  static var translation: Self        { .bit(0) }    // IommuEn
  static var tunnel: Self             { .bit(1) }    // HtTunEn
  static var eventLog: Self           { .bit(2) }    // EventLogEn
  static var eventInterrupt: Self     { .bit(3) }    // EventIntEn
  static var passPosted: Self         { .bit(8) }    // PassPW
  static var passPostedAnswers: Self  { .bit(9) }    // ResPassPW
  static var coherent: Self           { .bit(10) }   // Coherent   its own reads look into caches
  static var isochronous: Self        { .bit(11) }   // Isoc
  static var commands: Self           { .bit(12) }   // CmdBufEn
  static var absent: Self             { Self(rawValue: .max) }
}

/// §3.4.2, MMIO offset 0030h
struct AMDExtensions: Flags {
  let rawValue: UInt64
  init(rawValue: UInt64) { self.rawValue = rawValue }

  static var invalidatesAll: Self     { .bit(6) }    // IASup
}

/// §3.4.13, MMIO offset 2020h
struct AMDStatus: Flags {
  let rawValue: UInt64
  init(rawValue: UInt64) { self.rawValue = rawValue }

  static var overflow: Self           { .bit(0) }    // EventOverflow   a one clears
  static var eventInterrupt: Self     { .bit(1) }    // EventLogInt     a one clears
  static var eventLogRuns: Self       { .bit(3) }    // EventLogRun
  static var commandsRun: Self        { .bit(4) }    // CmdBufRun
}

/// What is in the four words of a device table entry (§2.2.2.1).
enum AMDEntry {
  static var size: UInt64             { 32 }
  static var valid: UInt64            { 1 << 0 | 1 << 1 }       // V, TV
  static var rights: UInt64           { 1 << 61 | 1 << 62 }     // IR, IW
  static var root: UInt64             { 0x000f_ffff_ffff_f000 }
  static var domain: UInt64           { 0xffff }                // second word
  static var noFaults: UInt64         { 1 << 34 }               // second word: SA
  static var remapsInterrupts: UInt64 { 1 << 0 }                // third word: IV
  static var noInterruptFaults: UInt64 { 1 << 5 }               // third word: IG
  static var interruptRoot: UInt64    { 0x000f_ffff_ffff_ffc0 } // third word
  /// Third word: a table of 2^8 entries of 4 bytes, whose interrupts are remapped (IntTabLen, IntCtl 10b).
  static var interruptForm: UInt64    { remapsInterrupts | 8 << 1 | 2 << 60 }

  /// The first word: tables of so many levels.
  static func translation(_ root: UInt64, levels: Int) -> UInt64 { valid | UInt64(levels) << 9 | root }
  /// The third word of an interrupt controller: its messages, and of the other kinds those it may send.
  static func controller(_ settings: UInt8) -> UInt64 {
    UInt64(settings & 7) << 56 | UInt64(settings >> 6) << 62
  }
}

/// The lower words of commands (§2.4); the operation is in bits 60 to 63.
enum AMDCommand {
  /// Stores the upper word at the address when all before is done.
  static func wait(_ address: UInt64) -> UInt64          { 1 << 60 | address & 0x000f_ffff_ffff_fff8 | 1 }
  static func deviceEntry(_ device: UInt16) -> UInt64    { 2 << 60 | UInt64(device) }
  static func pages(of domain: UInt16) -> UInt64         { 3 << 60 | UInt64(domain) << 32 }
  static func interrupts(of device: UInt16) -> UInt64    { 5 << 60 | UInt64(device) }
  static var all: UInt64                                 { 8 << 60 }
  /// The upper word of `pages`: every address, and what leads there.
  static var everyPage: UInt64                           { 0x7fff_ffff_ffff_f000 | 3 }
}

/// Event codes (§2.5), in bits 60 to 63 of an event's lower word.
enum AMDEvent {
  static var badDeviceEntry: UInt8    { 1 }
  static var pageFault: UInt8         { 2 }
  static var deviceTableError: UInt8  { 3 }
  static var pageTableError: UInt8    { 4 }
  static var badCommand: UInt8        { 5 }
  static var commandError: UInt8      { 6 }
  static var timedOut: UInt8          { 7 }
  static var badRequest: UInt8        { 8 }

  static var isInterrupt: UInt64      { 1 << 51 }    // I
  static var isWrite: UInt64          { 1 << 53 }    // RW
}
