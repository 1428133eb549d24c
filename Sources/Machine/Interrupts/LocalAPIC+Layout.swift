// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// Registers and their bits (Intel SDM volume 3, §11.4.1, table 11-1).
extension LocalAPIC {
  /// The offset into the page; an x2APIC MSR is 0x800 plus a sixteenth of it.
  enum Register {
    static var identity: UInt32             { 0x020 }
    static var version: UInt32              { 0x030 }
    static var taskPriority: UInt32         { 0x080 }   // TPR
    static var arbitrationPriority: UInt32  { 0x090 }   // APR   not in x2APIC mode
    static var processorPriority: UInt32    { 0x0a0 }   // PPR   read-only
    static var endOfInterrupt: UInt32       { 0x0b0 }   // EOI   write-only
    static var remoteRead: UInt32           { 0x0c0 }   // RRD   not in x2APIC mode
    static var logicalDestination: UInt32   { 0x0d0 }   // LDR   read-only in x2APIC mode
    static var destinationFormat: UInt32    { 0x0e0 }   // DFR   not in x2APIC mode
    static var spurious: UInt32             { 0x0f0 }   // SVR
    static var inService: UInt32            { 0x100 }   // ISR   eight registers
    static var triggerMode: UInt32          { 0x180 }   // TMR   eight registers
    static var requests: UInt32             { 0x200 }   // IRR   eight registers
    static var requestsEnd: UInt32          { 0x280 }
    static var errors: UInt32               { 0x280 }   // ESR
    static var command: UInt32              { 0x300 }   // ICR   bits 0-31; all 64 in x2APIC mode
    static var commandHigh: UInt32          { 0x310 }   // ICR   bits 32-63, not in x2APIC mode
    static var localTable: UInt32           { 0x320 }   // LVT   six registers
    static var localTableEnd: UInt32        { 0x380 }
    static var initialCount: UInt32         { 0x380 }
    static var currentCount: UInt32         { 0x390 }   //       read-only
    static var divide: UInt32               { 0x3e0 }   // DCR
    static var selfInterrupt: UInt32        { 0x3f0 }   //       x2APIC mode only, write-only
  }

  /// The local vector table, in the order of its registers.
  enum LocalEntry: Int {
    case timer = 0, thermal, performance, lint0, lint1, error

    static var count: Int { 6 }

    /// The entry of the register at `offset`.
    init?(register offset: UInt32) {
      guard offset >= Register.localTable else { return nil }
      self.init(rawValue: Int((offset - Register.localTable) >> 4))
    }

    /// Where its register is.
    var register: UInt32 { Register.localTable + UInt32(rawValue) << 4 }

    /// The bits that can be written; delivery status and remote IRR always read as zero.
    var writable: UInt32 {
      switch self {
      case .timer:                 0x0007_00ff          // vector, mask, mode
      case .thermal, .performance: 0x0001_07ff          // vector, delivery mode, mask
      case .lint0, .lint1:         0x0001_a7ff          // vector, delivery mode, polarity, trigger, mask
      case .error:                 0x0001_00ff          // vector, mask
      }
    }
  }

  /// An entry of the local vector table (§11.5.1).
  struct LocalVector: Flags {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }
    static var masked: Self                 { .bit(16) }

    var vector: UInt8                       { UInt8(truncatingIfNeeded: rawValue) }
    var mode: DeliveryMode?                 { DeliveryMode(rawValue: UInt8(rawValue.bits(8, count: 3))) }
    var timerMode: TimerMode?               { TimerMode(rawValue: rawValue.bits(17, count: 2)) }
    var isMasked: Bool                      { contains(.masked) }
  }

  enum TimerMode: UInt32 {
    case oneShot = 0, periodic = 1, tscDeadline = 2
  }

  /// SVR (§11.9).
  struct Spurious: Flags {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }
    static var enabled: Self                { .bit(8) }
    static var writable: UInt32             { 0x3ff }   // vector, enable, focus checking
  }

  /// ESR (§11.5.3).
  struct Errors: Flags {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }
    static var sendIllegalVector: Self      { .bit(5) }
    static var receiveIllegalVector: Self   { .bit(6) }
    static var illegalRegister: Self        { .bit(7) }
  }

  /// ICR bits 0 to 31 (§11.6.1).
  struct Command: Flags {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }
    static var logical: Self                { .bit(11) }
    static var assert: Self                 { .bit(14) }
    static var levelTriggered: Self         { .bit(15) }
    static var writable: UInt32             { 0x000c_cfff }

    var vector: UInt8                       { UInt8(truncatingIfNeeded: rawValue) }
    var mode: DeliveryMode?                 { DeliveryMode(rawValue: UInt8(rawValue.bits(8, count: 3))) }
    var shorthand: Shorthand                { Shorthand(rawValue: rawValue.bits(18, count: 2)) ?? .none }
  }

  enum Shorthand: UInt32 {
    case none = 0, toSelf = 1, all = 2, allButSelf = 3
  }

  /// IA32_APIC_BASE (§11.4.4).
  struct Base: Flags {
    let rawValue: UInt64
    init(rawValue: UInt64) { self.rawValue = rawValue }
    static var bootProcessor: Self          { .bit(8) }
    static var extended: Self               { .bit(10) }
    static var enabled: Self                { .bit(11) }
    static var address: UInt64              { 0x000f_ffff_ffff_f000 }
    static var flags: UInt64                { (bootProcessor | extended | enabled).rawValue }
  }

  /// Model-specific registers.
  enum MSR {
    static var base: UInt32                 { 0x1b }    // IA32_APIC_BASE
    static var tscDeadline: UInt32          { 0x6e0 }   // IA32_TSC_DEADLINE
    static var x2APIC: ClosedRange<UInt32>  { 0x800...0x8ff }
  }

  /// Version 0x14, the last entry of the local vector table is number 5, no suppression of EOI broadcasts (§11.4.8).
  static var versionWord: UInt32            { 0x0005_0014 }
}
