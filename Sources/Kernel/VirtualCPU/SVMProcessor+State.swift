// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtualisation
import X86

/// The VMM's page to the VMCB and back.
extension SVMProcessor {
  mutating func load(_ state: inout VirtualCPUState) {
    vmcb[.rax] = state.registers.rax
    vmcb[.rsp] = state.registers.rsp
    vmcb[.rip] = state.rip
    vmcb[.rflags] = state.rflags
    vmcb[.cr0] = state.cr0
    vmcb[.cr2] = state.cr2
    vmcb[.cr3] = state.cr3
    vmcb[.cr4] = cr4.held(state.cr4)
    vmcb[.efer] = efer.held(state.efer)
    vmcb[.dr6] = state.dr6
    vmcb[.dr7] = state.dr7
    vmcb[.guestPAT] = state.pat
    vmcb[.tscOffset] = state.tscOffset
    vmcb[.interruptShadow] = UInt64(state.interruptShadow & 1)
    if state.segmentsChanged != 0 {
      state.segmentsChanged = 0
      loadSegments(state.segments)
    }
    loadInjection(&state)
    if let overlay {
      let wanted: PageTableEntry = state.overlay != 0 ? overlay.shown : .none
      if overlay.entry.value != wanted {
        overlay.entry.value = wanted
        if wanted.isEmpty { forgetTranslations() }
      }
    }
  }

  /// An interrupt that the guest can take now is delivered by VMRUN itself (§15.20), as what `injectedType` says; one
  /// that it cannot is left to the processor, which delivers it with no exit once the guest lets it (§15.21.4).
  private mutating func loadInjection(_ state: inout VirtualCPUState) {
    var control: VirtualInterrupt = .masksHost | VirtualInterrupt(rawValue: UInt32(state.cr8 & 0xf))
    let interrupt = state.injection.interrupt
    state.injection.wasTaken = 0
    if state.injection.nonMaskable != 0 { loadNonMaskable(&state) }
    if state.injection.exception & Injection.valid != 0 {
      let hasErrorCode = state.givesErrorCode
      vmcb[.eventInjection] =
        UInt64(state.injection.exception & 0x1f) | 3 << 8 | (hasErrorCode ? 1 << 11 : 0)
        | Self.eventValid | UInt64(state.injection.errorCode) << 32
      state.injection.exception = 0
    } else if state.canTakeInterrupt, vmcb[.eventInjection] & Self.eventValid == 0, let injectedType {
      vmcb[.eventInjection] = UInt64(interrupt & 0xff) | injectedType << 8 | Self.eventValid
      vmcb[.virtualInterrupt] = control.rawValue
      return
    }
    if interrupt & Injection.valid != 0 {
      control.insert(.pending | .ignoresPriority)
      vmcb[.virtualVector] = interrupt & 0xff
    }
    vmcb[.virtualInterrupt] = control.rawValue
  }

  /// Delivers an NMI, unless the guest still handles one or something else is on its way. Until the guest's IRET it takes no
  /// other: the intercept of that instruction says so, and its exit that it may again (`settles`).
  @inline(never)
  private mutating func loadNonMaskable(_ state: inout VirtualCPUState) {
    guard vmcb[.intercept1] & Self.interruptReturn == 0, vmcb[.eventInjection] & Self.eventValid == 0,
      state.injection.exception == 0, state.interruptShadow == 0
    else { return }
    vmcb[.eventInjection] = 2 | 2 << 8 | Self.eventValid
    vmcb[.intercept1] |= Self.interruptReturn
    state.injection.nonMaskable = 0
  }

  /// The type of event that brings the guest an interrupt; `nil` if none does.
  ///
  /// QEMU may deliver an external interrupt (type 0) a second time in the same entry, whatever the guest does by then
  /// (decision 14). A software interrupt (type 4) arrives in the same way, and once, but may not come from ring 3.
  private var injectedType: UInt64? {
    guard isTranslated else { return 0 }
    return vmcb[.privilegeLevel] == 3 ? nil : 4
  }

  private func loadSegments(_ segments: Segments) {
    load(segments.es, to: .es)
    load(segments.cs, to: .cs)
    load(segments.ss, to: .ss)
    load(segments.ds, to: .ds)
    load(segments.fs, to: .fs)
    load(segments.gs, to: .gs)
    load(segments.gdtr, to: .gdtr)
    load(segments.ldtr, to: .ldtr)
    load(segments.idtr, to: .idtr)
    load(segments.tr, to: .tr)
    vmcb[.privilegeLevel] = UInt8(segments.ss.attributes.bits(5, count: 2))
  }

  private func load(_ segment: Segment, to field: VMCBSegment) {
    vmcb[field.selector] = segment.selector
    vmcb[field.attributes] = segment.attributes
    vmcb[field.limit] = segment.limit
    vmcb[field.base] = segment.base
  }

  mutating func store(_ reason: ExitReason, in state: inout VirtualCPUState) {
    state.registers.rax = vmcb[.rax]
    state.registers.rsp = vmcb[.rsp]
    state.rip = vmcb[.rip]
    state.rflags = vmcb[.rflags]
    state.cr0 = vmcb[.cr0]
    state.cr2 = vmcb[.cr2]
    state.cr3 = vmcb[.cr3]
    state.cr4 = vmcb[.cr4] & ~ExceptionPolicy.machineCheckEnable
    state.efer = vmcb[.efer] & ~EFER.svm.rawValue
    state.dr6 = vmcb[.dr6]
    state.dr7 = vmcb[.dr7]
    state.pat = vmcb[.guestPAT]
    state.interruptShadow = UInt32(vmcb[.interruptShadow] & 1)
    let control = VirtualInterrupt(rawValue: vmcb[.virtualInterrupt])
    state.cr8 = UInt64(control.rawValue & 0xf)
    state.noteInterrupt(isPending: control.contains(.pending))
    describe(reason, in: &state.exit)
    if reason.segments(Access(rawValue: state.exit.access)) != .none { storeSegments(&state.segments) }
  }

  private mutating func describe(_ reason: ExitReason, in information: inout ExitInformation) {
    information.reason = reason.rawValue
    guard reason != .none else { return }
    var exit = exit()
    exit.add(
      nextRIP: vmcb[.nextRIP], instruction: (vmcb[.instructionBytes0], vmcb[.instructionBytes1]),
      count: vmcb[.instructionCount], capabilities)
    exit.describe(reason, in: &information)
  }

  private mutating func storeSegments(_ segments: inout Segments) {
    segments.es = segment(.es)
    segments.cs = segment(.cs)
    segments.ss = segment(.ss)
    segments.ds = segment(.ds)
    segments.fs = segment(.fs)
    segments.gs = segment(.gs)
    segments.gdtr = segment(.gdtr)
    segments.ldtr = segment(.ldtr)
    segments.idtr = segment(.idtr)
    segments.tr = segment(.tr)
    // SYSRET leaves a DPL in SS that is not the guest's CPL (AMD APM volume 2, table 15-2, CPL).
    segments.ss.attributes = segments.ss.attributes & ~0x60 | UInt16(vmcb[.privilegeLevel] & 3) << 5
  }

  private func segment(_ field: VMCBSegment) -> Segment {
    Segment(
      selector: vmcb[field.selector], attributes: vmcb[field.attributes], limit: vmcb[field.limit],
      base: vmcb[field.base])
  }
}
