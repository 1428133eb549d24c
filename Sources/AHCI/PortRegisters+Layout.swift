// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

// A port's registers (AHCI 1.3.1, §3.3).
extension PortRegister<AddressHalf> {
  static var commandList: Self        { Self(offset: 0x00) }   // PxCLB
  static var commandListHigh: Self    { Self(offset: 0x04) }   // PxCLBU
  static var received: Self           { Self(offset: 0x08) }   // PxFB
  static var receivedHigh: Self       { Self(offset: 0x0c) }   // PxFBU
}
extension PortRegister<PortInterrupts> {
  static var interruptStatus: Self    { Self(offset: 0x10) }   // PxIS   a one clears
  static var interruptEnable: Self    { Self(offset: 0x14) }   // PxIE
}
extension PortRegister<PortCommand> {
  static var command: Self            { Self(offset: 0x18) }   // PxCMD
}
extension PortRegister<TaskFile> {
  static var taskFile: Self           { Self(offset: 0x20) }   // PxTFD
}
extension PortRegister<Signature> {
  static var signature: Self          { Self(offset: 0x24) }   // PxSIG
}
extension PortRegister<LinkStatus> {
  static var linkStatus: Self         { Self(offset: 0x28) }   // PxSSTS
}
extension PortRegister<LinkControl> {
  static var linkControl: Self        { Self(offset: 0x2c) }   // PxSCTL
}
extension PortRegister<PortErrors> {
  static var errors: Self             { Self(offset: 0x30) }   // PxSERR a one clears
}
extension PortRegister<SlotSet> {
  static var active: Self             { Self(offset: 0x34) }   // PxSACT a one sets
  static var issue: Self              { Self(offset: 0x38) }   // PxCI   a one sets
}

/// One half of a device address.
struct AddressHalf: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// Causes of interrupts (§3.3.5).
struct PortInterrupts: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var registersReceived: Self  { .bit(0) }    // DHRS   a command that was not queued has ended
  static var setupReceived: Self      { .bit(1) }    // PSS    so has one with programmed I/O
  static var bitsReceived: Self       { .bit(3) }    // SDBS   queued commands have ended
  static var unknownReceived: Self    { .bit(4) }    // UFS    mirrors the errors register
  static var connectChanged: Self     { .bit(6) }    // PCS    mirrors the errors register
  static var readyChanged: Self       { .bit(22) }   // PRCS   mirrors the errors register
  static var overflow: Self           { .bit(24) }   // OFS    more data than memory for it
  static var linkError: Self          { .bit(26) }   // INFS   overcome by the link itself
  static var fatalLinkError: Self     { .bit(27) }   // IFS
  static var busDataError: Self       { .bit(28) }   // HBDS
  static var busFatalError: Self      { .bit(29) }   // HBFS
  static var taskFileError: Self      { .bit(30) }   // TFES   the drive says that a command failed

  static var linkChange: Self         { connectChanged | readyChanged }
  /// After these the controller has stopped, or what it has done is in doubt (§6.2.2).
  static var transferErrors: Self {
    unknownReceived | overflow | fatalLinkError | busDataError | busFatalError
  }
  /// What shows, as well, in the errors register.
  static var linkTrouble: Self        { linkChange | unknownReceived | linkError | fatalLinkError }
  static var driven: Self {
    registersReceived | setupReceived | bitsReceived | taskFileError | linkError | linkChange | transferErrors
  }
}

/// §3.3.7
struct PortCommand: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var start: Self              { .bit(0) }    // ST     read the command list
  static var spinUp: Self             { .bit(1) }    // SUD
  static var powerOn: Self            { .bit(2) }    // POD
  static var receive: Self            { .bit(4) }    // FRE    store what the drive sends
  static var receiving: Self          { .bit(14) }   // FR     (read-only)
  static var running: Self            { .bit(15) }   // CR     (read-only)
  static var coldPresence: Self       { .bit(20) }   // CPD    (read-only) the port can switch the drive's power
  static var activeLink: Self         { .bit(28) }   // ICC    wake the link

  /// CLO and ICC: what a write starts.
  static var actions: Self            { Self(rawValue: 0xf000_0008) }
}

/// What the drive last said of itself (§3.3.8).
struct TaskFile: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var failed: Self             { .bit(0) }    // STS.ERR
  static var wantsData: Self          { .bit(3) }    // STS.DRQ
  static var fault: Self              { .bit(5) }    // STS.DF
  static var busy: Self               { .bit(7) }    // STS.BSY

  var error: DriveError               { DriveError(rawValue: UInt8(rawValue.bits(8, count: 8))) }
}

/// Why a command failed (ACS-3, §6.3).
struct DriveError: Flags {
  let rawValue: UInt8
  init(rawValue: UInt8) { self.rawValue = rawValue }

  static var aborted: Self            { .bit(2) }    // ABRT
  static var notFound: Self           { .bit(4) }    // IDNF
  static var uncorrectable: Self      { .bit(6) }    // UNC
  static var checksum: Self           { .bit(7) }    // ICRC   on the way between drive and controller

  /// What asking again does not mend: the drive has tried.
  static var medium: Self             { uncorrectable | notFound }
}

/// What kind of drive answered (§3.3.9; ATA8-AST, table 8).
struct Signature: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var disk: Self               { Self(rawValue: 0x0000_0101) }
  static var missing: Self            { Self(rawValue: .max) }
}

/// §3.3.10
struct LinkStatus: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  /// DET
  enum Detection: UInt32 {
    case nothing = 0
    case present = 1                                 //        but no communication yet
    case established = 3
    case offline = 4
  }
  var detection: Detection?           { Detection(rawValue: rawValue.bits(0, count: 4)) }
}

/// §3.3.11
struct LinkControl: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  /// No link power saving, which would show as changes of the link.          IPM = 3
  static var normal: Self             { Self(rawValue: 0x300) }
  /// COMRESET for as long as this is there.                                  DET = 1
  static var reset: Self              { normal | .bit(0) }
}

/// §3.3.12
struct PortErrors: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }
}
