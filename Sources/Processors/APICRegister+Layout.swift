// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

/// A register of the local APIC, by its place in the page (Intel SDM volume 3, table 11-1; AMD APM volume 2, §16.3.2).
package enum APICRegister: UInt32, Sendable {
  case identifier = 0x020         // APIC ID, in bits 24-31
  case taskPriority = 0x080       // TPR
  case endOfInterrupt = 0x0B0     // EOI
  case spurious = 0x0F0           // SVR: bit 8 enables
  case commandLow = 0x300         // ICR; as an MSR all 64 bits of it
  case commandHigh = 0x310        // there is no such MSR
  case timerEntry = 0x320         // LVT: bit 16 masks, bit 18 TSC deadline
  case line0Entry = 0x350
  case line1Entry = 0x360
  case errorEntry = 0x370
  case timerInitial = 0x380
  case timerCurrent = 0x390
  case timerDivide = 0x3E0

  /// The model-specific register that it is in x2APIC mode (Intel SDM volume 3, table 11-6).
  package var number: UInt32      { 0x800 + rawValue >> 4 }
}

/// Bits of APIC_BASE (Intel SDM volume 3, figure 11-26).
package enum APICBase {
  package static var isOn: UInt64         { 1 << 11 }     // EN
  package static var isExtended: UInt64   { 1 << 10 }     // EXTD
}
