// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

// Registers of an Intel IOMMU (VT-d 4.1, §11.4).
extension RemappingRegister<PlainHalf> {
  static var version: Self            { Self(offset: 0x00) }   // VER_REG
  static var faultData: Self          { Self(offset: 0x3c) }   // FEDATA_REG
  static var faultAddress: Self       { Self(offset: 0x40) }   // FEADDR_REG
  static var faultAddressHigh: Self   { Self(offset: 0x44) }   // FEUADDR_REG
}
extension RemappingRegister<PlainWord> {
  static var rootTable: Self          { Self(offset: 0x20) }   // RTADDR_REG
  static var queueHead: Self          { Self(offset: 0x80) }   // IQH_REG     bytes from the queue's start
  static var queueTail: Self          { Self(offset: 0x88) }   // IQT_REG     likewise
  static var queueAddress: Self       { Self(offset: 0x90) }   // IQA_REG     size 0 is one page
  static var interruptTable: Self     { Self(offset: 0xb8) }   // IRTA_REG    2^(bits 0-3 + 1) entries; bit 11: x2APIC
}
extension RemappingRegister<IntelCapabilities> {
  static var capabilities: Self       { Self(offset: 0x08) }   // CAP_REG
}
extension RemappingRegister<IntelExtensions> {
  static var extensions: Self         { Self(offset: 0x10) }   // ECAP_REG
}
extension RemappingRegister<IntelCommand> {
  static var command: Self            { Self(offset: 0x18) }   // GCMD_REG    write-only
  static var status: Self             { Self(offset: 0x1c) }   // GSTS_REG    read-only, the same bits
}
extension RemappingRegister<IntelFaultStatus> {
  static var faultStatus: Self        { Self(offset: 0x34) }   // FSTS_REG
}
extension RemappingRegister<IntelFaultControl> {
  static var faultControl: Self       { Self(offset: 0x38) }   // FECTL_REG
}
extension RemappingRegister<IntelProtection> {
  static var protection: Self         { Self(offset: 0x64) }   // PMEN_REG
}

/// What the IOMMU can do (§11.4.2).
struct IntelCapabilities: Flags {
  let rawValue: UInt64
  init(rawValue: UInt64) { self.rawValue = rawValue }

  static var flushesWrites: Self      { .bit(4) }    // RWBF   it must be told to empty its write buffers
  static var protectsLow: Self        { .bit(5) }    // PLMR
  static var protectsHigh: Self       { .bit(6) }    // PHMR
  static var cachesAbsence: Self      { .bit(7) }    // CM     domain 0 is its own
  static var largePages: Self         { .bit(34) }   // SLLPS  2 MiB
  static var hugePages: Self          { .bit(35) }   // SLLPS  1 GiB
  static var drainsWrites: Self       { .bit(54) }   // DWD
  static var drainsReads: Self        { .bit(55) }   // DRD

  /// Bits of a domain's number, 4 to 16.                       ND
  var domainBits: Int                 { 4 + 2 * Int(rawValue.bits(0, count: 3)) }
  /// Widths of addresses: bit 1 is 39, bit 2 is 48, bit 3 57.   SAGAW
  var widths: UInt64                  { rawValue.bits(8, count: 5) }
  /// Bits of an address that devices may use.                  MGAW
  var deviceBits: Int                 { Int(rawValue.bits(16, count: 6)) + 1 }
  /// Where the fault records are, and how many.                FRO, NFR
  var faultOffset: UInt64             { rawValue.bits(24, count: 10) * 16 }
  var faultCount: Int                 { Int(rawValue.bits(40, count: 8)) + 1 }
  static var absent: Self             { Self(rawValue: .max) }
}

/// §11.4.3
struct IntelExtensions: Flags {
  let rawValue: UInt64
  init(rawValue: UInt64) { self.rawValue = rawValue }

  static var coherent: Self           { .bit(0) }    // C      it sees the processor's caches
  static var queue: Self              { .bit(1) }    // QI
  static var remapsInterrupts: Self   { .bit(3) }    // IR
  static var longCoreNumbers: Self    { .bit(4) }    // EIM
  static var snoopControl: Self       { .bit(7) }    // SC
}

/// What is switched on; in a command also what is to be done once (§11.4.4).
struct IntelCommand: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var legacyInterrupts: Self   { .bit(23) }   // CFI    interrupts that are not remapped go through
  static var setInterruptTable: Self  { .bit(24) }   // SIRTP  once
  static var interrupts: Self         { .bit(25) }   // IRE
  static var queue: Self              { .bit(26) }   // QIE
  static var flushWrites: Self        { .bit(27) }   // WBF    once; its status bit goes out when it is done
  static var setRoot: Self            { .bit(30) }   // SRTP   once
  static var translation: Self        { .bit(31) }   // TE
  /// What stays as it is unless a command says otherwise.
  static var lasting: Self            { .legacyInterrupts | .interrupts | .queue | .bit(28) | .translation }
}

/// §11.4.8
struct IntelFaultStatus: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var overflow: Self           { .bit(0) }    // PFO    a one clears
  static var pending: Self            { .bit(1) }    // PPF    a record is in use
  static var queueError: Self         { .bit(4) }    // IQE    a one clears
  static var completionError: Self    { .bit(5) }    // ICE    a one clears
  static var timeoutError: Self       { .bit(6) }    // ITE    a one clears
  static var queueErrors: Self        { .queueError | .completionError | .timeoutError }
  /// The first record in use.                                  FRI
  var firstRecord: Int                { Int(rawValue.bits(8, count: 8)) }
}

/// §11.4.9
struct IntelFaultControl: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var masked: Self             { .bit(31) }   // IM
}

/// Memory that firmware kept from devices (§11.4.16).
struct IntelProtection: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }

  static var active: Self             { .bit(0) }    // PRS
}

/// Entries of root, context and interrupt tables, 16 bytes each (§9.1, §9.3, §9.9).
enum IntelEntry {
  static var present: UInt64          { 1 << 0 }     // P
  static var noFaults: UInt64         { 1 << 1 }     // FPD    refused without a record
  static var address: UInt64          { 0x000f_ffff_ffff_f000 }

  /// The upper half of a context entry: the width of addresses (1 is three levels), the domain.
  static func context(levels: Int, domain: UInt16) -> UInt64 { UInt64(levels - 2) | UInt64(domain) << 8 }
  static func domain(ofContext high: UInt64) -> UInt16 { UInt16(truncatingIfNeeded: high >> 8) }

  /// In an interrupt's entry: delivered as NMI.                  DLM
  static var nonMaskable: UInt64      { 4 << 5 }
  /// An interrupt's entry: vector and core, physical destination, fixed delivery.
  static func interrupt(_ vector: UInt8, _ destination: UInt32, isLevelTriggered: Bool) -> UInt64 {
    present | (isLevelTriggered ? 1 << 4 : 0) | UInt64(vector) << 16 | UInt64(destination) << 32
  }
  /// Its upper half: the sender's address, all of it to be compared (SVT 1, SQ 0).
  static func interruptSource(_ requester: UInt16) -> UInt64 { UInt64(requester) | 1 << 18 }
}

/// The lower halves of what goes into the queue (§6.5.2).
enum IntelDescriptor {
  static var everyContext: UInt64     { 1 | 1 << 4 }
  static var everyTranslation: UInt64 { 2 | 1 << 4 }
  static var everyInterrupt: UInt64   { 4 }

  static func context(of device: UInt16, in domain: UInt16) -> UInt64 {
    1 | 3 << 4 | UInt64(domain) << 16 | UInt64(device) << 32
  }
  static func translations(of domain: UInt16) -> UInt64 { 2 | 2 << 4 | UInt64(domain) << 16 }
  static func interrupt(_ index: Int) -> UInt64 { 4 | 1 << 4 | UInt64(index) << 32 }
  /// What is told must reach memory first, what was asked must have been answered.
  static var drainWrites: UInt64      { 1 << 6 }     // DW
  static var drainReads: UInt64       { 1 << 7 }     // DR
  /// A word of ones is stored when all before is done.
  static var wait: UInt64             { 5 | 1 << 5 | 0xffff_ffff << 32 }
}
