// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Virtualisation
import X86

/// The VMM's page to the VMCS and back.
extension VMXProcessor {
  func load(_ state: inout VirtualCPUState) {
    activate()
    let isAll = !(self.state.value.known.isCurrent && self.state.value.known.wasLoaded)
    loadControl(state, isAll)
    loadFlow(state, isAll)
    self.state.value.known.isCurrent = true
    self.state.value.known.wasLoaded = true
    self.state.value.cr2 = state.cr2
    self.state.value.dr6 = state.dr6 & 0xffff_ffff
    priority.value = UInt32(state.cr8 & 0xf) << 4
    if state.segmentsChanged != 0 {
      state.segmentsChanged = 0
      loadSegments(state.segments)
    }
    loadInjection(&state)
    if controls.sharing != 0 { loadController(state.controller) }
    if let posted, state.posted.haveChanged != 0 {
      state.posted.haveChanged = 0
      posted.take(state.posted.vectors)
    }
    if let overlay {
      let wanted: PageTableEntry = state.overlay != 0 ? overlay.shown : .none
      if overlay.entry.value != wanted {
        overlay.entry.value = wanted
        if wanted.isEmpty { forgetTranslations() }
      }
    }
  }

  /// Bits that VMX wants set stay set behind the guest's back. What a VMM changes of paging, no instruction of the
  /// guest's makes the processor notice.
  private func loadControl(_ state: VirtualCPUState, _ isAll: Bool) {
    let cr0 = controls.cr0.held(state.cr0)
    let cr4 = controls.cr4.held(state.cr4)
    let efer = controls.efer.held(state.efer)
    let known = self.state.value.known
    let wasLong = known.isLong
    if isAll || known.cr0 != cr0 || known.cr3 != state.cr3 || known.cr4 != cr4 || known.efer != efer {
      if isAll || known.cr3 != state.cr3 { vmcs[.cr3] = state.cr3 }
      self.state.value.known.cr0 = cr0
      self.state.value.known.cr3 = state.cr3
      self.state.value.known.cr4 = cr4
      self.state.value.known.efer = efer
      vmcs[.cr0] = cr0
      vmcs[.cr4] = cr4
      let isLong = self.state.value.known.isLong
      vmcs[.guestEFER] = efer | (isLong ? EFER.longModeActive.rawValue : 0)
      if isAll || isLong != wasLong {
        vmcs[.entryControls] = controls.entry | (isLong ? EntryControl.longMode.mask : 0)
      }
      forgetTranslations()
    }
    update(.shadowCR0, &self.state.value.known.shadowCR0, state.cr0, isAll)
    update(.shadowCR4, &self.state.value.known.shadowCR4, state.cr4, isAll)
  }

  private func loadFlow(_ state: VirtualCPUState, _ isAll: Bool) {
    update(.rsp, &self.state.value.known.rsp, state.registers.words[4], isAll)
    update(.rip, &self.state.value.known.rip, state.rip, isAll)
    update(.rflags, &self.state.value.known.rflags, state.rflags & 0x3f_7fd7 | 2, isAll)
    update(.dr7, &self.state.value.known.dr7, state.dr7 & 0xffff_ffff, isAll)
    update(.guestPAT, &self.state.value.known.pat, state.pat, isAll)
    update(.tscOffset, &self.state.value.known.tscOffset, state.tscOffset, isAll)
    if isAll { self.state.value.known.interruptibility = vmcs[.interruptibility] }
    loadShadow(state)
  }

  /// Writes a field unless it is known to hold `value`.
  @inline(__always)
  private func update(_ field: VMCSField<UInt64>, _ known: inout UInt64, _ value: UInt64, _ isAll: Bool) {
    guard isAll || known != value else { return }
    known = value
    vmcs[field] = value
  }

  /// The shadow of STI needs IF; where it is clear, that of MOV SS does the same.
  private func loadShadow(_ state: VirtualCPUState) {
    let before = self.state.value.known.interruptibility
    let isEnabled = state.rflags & 1 << 9 != 0
    let shadow: UInt32 = state.interruptShadow == 0 ? 0 : isEnabled ? 1 : 2
    let kept = before & 3 == 2 && shadow != 0 ? 2 : shadow
    if before & 3 != kept {
      self.state.value.known.interruptibility = before & ~3 | kept
      vmcs[.interruptibility] = before & ~3 | kept
    }
    // A single step that is due shows in this word while there is a shadow (Intel SDM volume 3, §27.3.1.5).
    guard kept != 0 else { return }
    let pending = vmcs[.pendingDebug] & ~(1 << 14)
    vmcs[.pendingDebug] = state.rflags & 1 << 8 != 0 ? pending | 1 << 14 : pending
  }

  /// An interrupt that the guest can take now is delivered by VM entry itself; one that it cannot waits, for the processor
  /// to deliver it, or for an exit when the guest can take it, and the kernel to (`settles`).
  private func loadInjection(_ state: inout VirtualCPUState) {
    let interrupt = state.injection.interrupt
    state.injection.wasTaken = 0
    withdrawInterrupt()
    if state.injection.nonMaskable != 0 { loadNonMaskable(&state) }
    if state.injection.exception & Injection.valid != 0 {
      inject(
        .exception(state.injection.exception, hasErrorCode: state.givesErrorCode), errorCode: state.injection.errorCode)
      state.injection.exception = 0
    } else if state.canTakeInterrupt, !self.state.value.isInjecting {
      inject(.interrupt(interrupt), errorCode: 0)
      return
    }
    guard interrupt & Injection.valid != 0 else { return }
    offerInterrupt(interrupt & 0xff, state.cr8, isAlone: state.controller.isShared == 0)
  }

  /// Delivers an NMI, unless the guest still handles one, which the processor knows till its IRET, or something else is on
  /// its way (Intel SDM volume 3, §26.3.1.5: blocking by STI, MOV SS and NMI).
  @inline(never)
  private func loadNonMaskable(_ state: inout VirtualCPUState) {
    guard controls.tracksNonMaskable, !self.state.value.isInjecting, state.injection.exception == 0,
      self.state.value.known.interruptibility & 0xb == 0
    else { return }
    inject(.nonMaskable, errorCode: 0)
    state.injection.nonMaskable = 0
  }

  /// Nothing waits any more.
  func withdrawInterrupt() {
    guard self.state.value.pendingVector != VMXState.none else { return }
    self.state.value.pendingVector = VMXState.none
    if self.state.value.isDelivered {
      self.state.value.isDelivered = false
      vmcs[.interruptStatus] = VMXInterruptStatus.idle.rawValue
    } else {
      vmcs[.processorControls] = controls.processor
    }
  }

  /// - Parameter isAlone: Whether nothing else of the guest's waits for the processor to deliver it.
  private func offerInterrupt(_ vector: UInt32, _ priority: UInt64, isAlone: Bool) {
    self.state.value.pendingVector = vector
    guard isAlone, controls.deliversInterrupts,
      let status = VMXInterruptStatus(offering: vector, priority: priority & 0xf)
    else { return openWindow() }
    self.state.value.isDelivered = true
    vmcs[.interruptStatus] = status.rawValue
  }

  /// The guest has left: whether it took the interrupt that waited for it. What is in service then is so for the VMM's
  /// model alone.
  func noticeDelivery() {
    guard state.value.isDelivered else { return }
    let vector = state.value.pendingVector
    guard !VMXInterruptStatus(rawValue: vmcs[.interruptStatus]).isWaiting else { return }
    withdrawInterrupt()
    let service: Cell<UInt32> = BootMemory.place(at: virtualAPIC + 0x100 + UInt64(vector >> 5) * 16)
    service.value &= ~(1 << (vector & 31))
  }

  private func loadSegments(_ segments: Segments) {
    load(segments.es, to: .es)
    load(segments.cs, to: .cs)
    load(segments.ss, to: .ss)
    load(segments.ds, to: .ds)
    load(segments.fs, to: .fs)
    load(segments.gs, to: .gs)
    load(segments.ldtr, to: .ldtr)
    load(segments.tr, to: .tr)
    vmcs[VMCSSegment.gdtr.base] = segments.gdtr.base
    vmcs[VMCSSegment.gdtr.limit] = segments.gdtr.limit & 0xffff
    vmcs[VMCSSegment.idtr.base] = segments.idtr.base
    vmcs[VMCSSegment.idtr.limit] = segments.idtr.limit & 0xffff
  }

  private func load(_ segment: Segment, to field: VMCSSegment) {
    vmcs[field.selector] = segment.selector
    vmcs[field.rights] = VMXAccessRights(attributes: segment.attributes).rawValue
    vmcs[field.limit] = segment.limit
    vmcs[field.base] = segment.base
  }

  /// The guest's task priority, in the page where the processor keeps it.
  private var priority: Cell<UInt32> { BootMemory.place(at: virtualAPIC + 0x80) }

  // MARK: - Back

  func store(_ reason: ExitReason, in state: inout VirtualCPUState) {
    activate()
    noteFlow()
    let known = self.state.value.known
    state.registers.words[4] = known.rsp
    state.rip = known.rip
    state.rflags = known.rflags
    state.cr0 = controls.cr0.shown(known.cr0, shadow: known.shadowCR0)
    state.cr2 = self.state.value.cr2
    state.cr4 = controls.cr4.shown(known.cr4, shadow: known.shadowCR4)
    state.cr8 = UInt64(priority.value >> 4 & 0xf)
    state.efer = known.efer | (known.isLong ? EFER.longModeActive.rawValue : 0)
    state.dr6 = self.state.value.dr6
    state.interruptShadow = known.interruptibility & 3 == 0 ? 0 : 1
    state.noteInterrupt(isPending: self.state.value.pendingVector != VMXState.none)
    if self.state.value.isShared { storeController(&state.controller) }
    describe(reason, in: &state.exit)
    let scope = reason.segments(Access(rawValue: state.exit.access))
    storeSegments(scope, in: &state)
    // The trap of a step clears a bit of DR7, and the VMM is who delivers it.
    guard scope == .all || ProcessorFlags(rawValue: known.rflags).intersects(.debugging) else { return }
    state.dr7 = vmcs[.dr7]
    self.state.value.known.dr7 = state.dr7
  }

  /// Reads what the guest changes with no exit and every VMM's turn is about. PAT and EFER, but for LMA, it changes with an
  /// exit alone.
  private func noteFlow() {
    self.state.value.known.isCurrent = true
    self.state.value.known.rsp = vmcs[.rsp]
    self.state.value.known.rip = vmcs[.rip]
    self.state.value.known.rflags = vmcs[.rflags]
    self.state.value.known.cr0 = vmcs[.cr0]
    self.state.value.known.cr4 = vmcs[.cr4]
    self.state.value.known.interruptibility = vmcs[.interruptibility]
  }

  private func describe(_ reason: ExitReason, in information: inout ExitInformation) {
    information.reason = reason.rawValue
    guard reason != .none else { return }
    var exit = exit()
    exit.rip = state.value.known.rip
    switch reason {
    case .cpuid, .readMSR, .writeMSR, .halt, .hypercall, .setXCR, .cacheControl, .forbidden:
      exit.instructionLength = vmcs[.instructionLength]
    case .portAccess:
      exit.instructionLength = vmcs[.instructionLength]
      if controls.describesStrings, exit.isString { exit.instructionInformation = vmcs[.instructionInformation] }
    case .memoryAccess:
      exit.qualification = vmcs[.qualification]
      exit.physicalAddress = vmcs[.physicalAddress]
    case .none, .endOfInterrupt, .shutdown, .invalidState, .unexpected: exit.qualification = vmcs[.qualification]
    }
    exit.describe(reason, in: &information)
  }

  /// Reads of the segments, and of what else only some exits are about, what `scope` says.
  private func storeSegments(_ scope: SegmentScope, in state: inout VirtualCPUState) {
    guard scope != .none else { return }
    state.cr3 = vmcs[.cr3]
    self.state.value.known.cr3 = state.cr3
    if scope == .addressing { storeAddressing(&state.segments) } else { storeSegments(&state.segments) }
  }

  private func storeAddressing(_ segments: inout Segments) {
    segments.cs.attributes = VMXAccessRights(rawValue: vmcs[VMCSSegment.cs.rights]).attributes
    segments.ss.attributes = VMXAccessRights(rawValue: vmcs[VMCSSegment.ss.rights]).attributes
    segments.es.base = vmcs[VMCSSegment.es.base]
    segments.cs.base = vmcs[VMCSSegment.cs.base]
    segments.ss.base = vmcs[VMCSSegment.ss.base]
    segments.ds.base = vmcs[VMCSSegment.ds.base]
    segments.fs.base = vmcs[VMCSSegment.fs.base]
    segments.gs.base = vmcs[VMCSSegment.gs.base]
  }

  private func storeSegments(_ segments: inout Segments) {
    segments.es = segment(.es)
    segments.cs = segment(.cs)
    segments.ss = segment(.ss)
    segments.ds = segment(.ds)
    segments.fs = segment(.fs)
    segments.gs = segment(.gs)
    segments.ldtr = segment(.ldtr)
    segments.tr = segment(.tr)
    segments.gdtr = Segment(limit: vmcs[VMCSSegment.gdtr.limit], base: vmcs[VMCSSegment.gdtr.base])
    segments.idtr = Segment(limit: vmcs[VMCSSegment.idtr.limit], base: vmcs[VMCSSegment.idtr.base])
  }

  private func segment(_ field: VMCSSegment) -> Segment {
    Segment(
      selector: vmcs[field.selector], attributes: VMXAccessRights(rawValue: vmcs[field.rights]).attributes,
      limit: vmcs[field.limit], base: vmcs[field.base])
  }
}
