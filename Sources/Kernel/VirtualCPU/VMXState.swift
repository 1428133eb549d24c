// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Speculation
import Virtualisation
import X86

/// What belongs to a guest on VMX and has no field in the VMCS, or is kept here because a field takes longer to read.
struct VMXState: BitwiseCopyable {
  var isLaunched = false
  /// Translations of guest-physical addresses are to be forgotten before the next entry.
  var mustForget = false
  /// Whether a failed entry has been reported: once is enough.
  var hasReported = false
  /// Whether the next entry delivers an event: bit 31 of the VMCS's injection, which an exit clears.
  var isInjecting = false
  /// The exit reason; bit 31 says that the guest was not entered.
  var reason: UInt32 = 0
  /// The exit qualification, if the guest left for a port.
  var qualification: UInt64 = 0
  /// The vector of an interrupt that the guest is to take when it can.
  var pendingVector: UInt32 = none
  /// Whether the processor delivers that by itself; else the guest's interrupt window is waited for.
  var isDelivered = false
  /// Whether the guest's local APIC is the processor's while the guest runs.
  var isShared = false
  var cr2: UInt64 = 0
  var dr6: UInt64 = 0xffff_0ff0
  /// The guest's SPEC_CTRL.
  var control = GuestControl.absent
  /// The address space that an exit comes back to, as the VMCS has it; 0 before the first entry.
  var hostSpace: UInt64 = 0
  var known = VMXKnown()

  static var none: UInt32 { 0x100 }
  /// Where in its page the guest's SPEC_CTRL is for entries and exits.
  static var listedControl: UInt64 { 2048 }
}

/// What the fields of the VMCS hold, so that they need not be read, nor written with the same again.
///
/// Invariant: if `isCurrent`, each is what the VMCS holds, but for `cr3` and `dr7`: these are what the VMM's page held when
/// the kernel last gave or took them, and the guest may have changed them since.
struct VMXKnown: BitwiseCopyable {
  /// Whether the guest has not run since they were noted.
  var isCurrent = false
  /// Whether the VMM's page has been loaded since the reset: what only that changes is known from then on.
  var wasLoaded = false
  var interruptibility: UInt32 = 0
  var rsp: UInt64 = 0
  var rip: UInt64 = 0
  var rflags: UInt64 = 0
  var cr0: UInt64 = 0
  var cr3: UInt64 = 0
  var cr4: UInt64 = 0
  var dr7: UInt64 = 0
  /// What the guest last wrote to CR0 and CR4.
  var shadowCR0: UInt64 = 0
  var shadowCR4: UInt64 = 0
  /// EFER without LMA, which the processor makes of LME and CR0.PG.
  var efer: UInt64 = 0
  var pat: UInt64 = 0
  var tscOffset: UInt64 = 0
  /// The ends of interrupts that exit, of a guest whose local APIC is shared.
  var noticedEnds: InlineArray<4, UInt64> = InlineArray(repeating: 0)

  /// Whether the guest is in long mode (Intel SDM volume 3, §28.3.1: an exit notes that for the next entry).
  var isLong: Bool { efer & EFER.longMode.rawValue != 0 && cr0 & CR0.paging.rawValue != 0 }
}
