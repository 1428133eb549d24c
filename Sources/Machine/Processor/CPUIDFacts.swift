// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What CPUID says of the guest and not of the machine.
package struct CPUIDFacts: Equatable, Sendable {
  /// The guest's CR4: CPUID repeats OSXSAVE and PKE.
  package var cr4: UInt64 = 0
  /// The guest's XCR0: CPUID gives the size of the state it turns on.
  package var xcr0: UInt64 = 1
  /// The bits the guest may set in XCR0.
  package var supportedXCR0: UInt64 = 1
  package var apicID: UInt32 = 0
  /// Whether the guest's local APIC is switched on: CPUID repeats that bit of IA32_APIC_BASE (Intel SDM volume 3, §11.4.3).
  package var hasLocalAPIC = true
  /// Ticks of the guest's time-stamp counter in a second.
  package var tscFrequency: UInt64 = 0
  /// Whether the local APIC's timer has its TSC-deadline mode. Without it stock Linux programs the initial count, and
  /// without x2APIC that is an access to memory, to be decoded.
  package var offersDeadlineTimer = true

  /// Whether the guest can write PRED_CMD, and FLUSH_CMD.
  package var passesPredictionCommand = false
  package var passesFlushCommand = false
  /// The bits of SPEC_CTRL that the guest may set; 0 where it has no such register.
  package var speculationControl: UInt64 = 0
  /// What it reads from IA32_ARCH_CAPABILITIES; 0 where it has no such register.
  package var architecturalCapabilities: UInt64 = 0

  package init() {}

  /// Whether the guest may set these bits of SPEC_CTRL.
  func canControl(_ bits: UInt64) -> Bool { speculationControl & bits == bits }

  var hasOSXSAVE: Bool { cr4 & 1 << 18 != 0 }
  var hasProtectionKeys: Bool { cr4 & 1 << 22 != 0 }
}
