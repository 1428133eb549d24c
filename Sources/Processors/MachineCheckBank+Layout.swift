// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

import Bits

/// MCG_CAP (Intel SDM volume 3, §16.3.1.1; AMD APM volume 2, §9.3.1.1).
package struct MachineCheckCapability: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  package static var hasControl: Self       { .bit(8) }     // MCG_CTL_P    MCG_CTL is there
  package static var hasRecovery: Self      { .bit(24) }    // MCG_SER_P    (Intel) S and AR mean something
  package var bankCount: Int                { Int(rawValue & 0xff) }
}

/// MCG_STATUS (Intel SDM volume 3, §16.3.1.2; AMD APM volume 2, §9.3.1.2).
package struct MachineCheckGlobal: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  package static var canRestart: Self       { .bit(0) }     // RIPV         the interrupted program can go on
  package static var isExact: Self          { .bit(1) }     // EIPV         its RIP has to do with the error
  package static var inProgress: Self       { .bit(2) }     // MCIP
}

/// MCi_STATUS (Intel SDM volume 3, §16.3.2.2; AMD APM volume 2, §9.3.2.1).
package struct MachineCheckStatus: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  package static var isPoison: Self         { .bit(43) }    // Poison       (AMD)
  package static var isDeferred: Self       { .bit(44) }    // Deferred     (AMD)
  package static var needsAction: Self      { .bit(55) }    // AR (Intel); TCC (AMD): the program cannot go on
  package static var isSignalled: Self      { .bit(56) }    // S            (Intel) by a machine check
  package static var isContextLost: Self    { .bit(57) }    // PCC          the processor's state is not to be trusted
  package static var hasAddress: Self       { .bit(58) }    // ADDRV
  package static var hasMore: Self          { .bit(59) }    // MISCV
  package static var isEnabled: Self        { .bit(60) }    // EN
  package static var isUncorrected: Self    { .bit(61) }    // UC
  package static var hasOverflowed: Self    { .bit(62) }    // OVER         an error before it was lost
  package static var isValid: Self          { .bit(63) }    // VAL
  /// MCA error code.
  package var code: UInt64                  { rawValue & 0xffff }
}

/// The registers of bank n, by their numbers (Intel SDM volume 3, §16.3.2; AMD APM volume 2, §9.3.2).
package enum MachineCheckRegister {
  package static var capability: UInt32     { 0x179 }       // MCG_CAP
  package static var global: UInt32         { 0x17A }       // MCG_STATUS
  package static var control: UInt32        { 0x17B }       // MCG_CTL
  package static func control(_ bank: Int) -> UInt32 { 0x400 + 4 * UInt32(bank) }   // MCi_CTL
  package static func status(_ bank: Int) -> UInt32  { 0x401 + 4 * UInt32(bank) }   // MCi_STATUS
  package static func address(_ bank: Int) -> UInt32 { 0x402 + 4 * UInt32(bank) }   // MCi_ADDR
  package static func more(_ bank: Int) -> UInt32    { 0x403 + 4 * UInt32(bank) }   // MCi_MISC
}
