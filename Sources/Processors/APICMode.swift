// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How a core talks to its local APIC.
package enum APICMode: Equatable, Sendable {
  /// By a page of memory: xAPIC. Numbers of processors have 8 bits.
  case memory
  /// By model-specific registers: x2APIC. Numbers have 32 bits.
  case registers

  /// The highest number that an interrupt between cores can be sent to; the one above it names all.
  package var highestNumber: UInt32 { self == .memory ? 0xfe : 0xffff_fffe }
}

/// What decides how cores talk to their local APICs: once, for all of them.
package struct APICConditions: Sendable {
  /// APIC_BASE as the firmware left it.
  package var base: UInt64
  /// CPUID leaf 1, ecx bit 21.
  package var hasRegisters: Bool
  /// The highest number of a processor that firmware lists.
  package var highestNumber: UInt32
  /// Whether the person who boots wants the new form, though nothing asks for it.
  package var isWanted = false
  /// Whether the firmware asks for the old form (VT-d 4.1, §8.1: X2APIC_OPT_OUT).
  package var isUnwelcome = false

  package init(base: UInt64, hasRegisters: Bool, highestNumber: UInt32) {
    self.base = base
    self.hasRegisters = hasRegisters
    self.highestNumber = highestNumber
  }

  /// Registers where the firmware left them on (some processors lock that), where some processor has a number that the
  /// old form cannot name, or where somebody wants them; else memory, which every emulator knows.
  package var mode: APICMode {
    if base & APICBase.isExtended != 0 { return .registers }
    guard hasRegisters else { return .memory }
    if isWanted { return .registers }
    return highestNumber > APICMode.memory.highestNumber && !isUnwelcome ? .registers : .memory
  }
}
