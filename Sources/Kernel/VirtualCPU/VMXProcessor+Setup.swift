// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Speculation
import Virtualisation
import X86

/// Making the VMCS, and telling why it was refused.
extension VMXProcessor {
  init(
    memory: AddressSpace, identifier: UInt32, permissions: VMXPermissions, controls: VMXControls,
    control: GuestControl, host: PhysicalAddress, overlay: (entry: Cell<PageTableEntry>, shown: PageTableEntry)?,
    from boot: inout BootMemory
  ) throws(BootError) {
    vmcs = VMCS(address: try boot.page())
    BootMemory.place(at: vmcs.address).value = controls.revision
    state = BootMemory.cell(VMXState(), at: try boot.page())
    virtualAPIC = try boot.page()
    // A border of 64 would do for a processor; Bochs 3.0 wants a page.
    postedDescriptor = controls.posting != 0 ? try boot.page() : nil
    // SAFETY: a page of zeros, dealt out for this.
    posted = postedDescriptor.map { unsafe PostedInterrupts(unsafeBase: DirectMap.pointer($0)) }
    self.host = BootMemory.place(at: host)
    self.memory = memory
    self.identifier = identifier
    self.permissions = permissions
    self.controls = controls
    self.control = control
    self.overlay = overlay
  }

  /// Makes the VMCS anew, on the core that it is for.
  func reset() {
    vmcs.clear()
    state.value = VMXState()
    state.value.control = control
    state.value.mustForget = true
    posted?.reset()
    host.value.current = 0
    activate()
    setControls()
    setHost()
    setGuest()
  }

  private func setControls() {
    vmcs[.pinControls] = controls.pin
    vmcs[.processorControls] = controls.processor
    vmcs[.secondaryControls] = controls.secondary
    vmcs[.exitControls] = controls.exit
    vmcs[.entryControls] = controls.entry
    vmcs[.exceptions] = GuestIntercept.exceptions
    vmcs[.pageFaultMask] = 0
    vmcs[.pageFaultMatch] = 0
    vmcs[.targetCount] = 0
    vmcs[.priorityThreshold] = 0
    vmcs[.injection] = 0
    vmcs[.portsA] = permissions.ports.value
    vmcs[.portsB] = permissions.ports.value + 4096
    vmcs[.registerMap] = registerMap
    vmcs[.virtualAPIC] = virtualAPIC.value
    vmcs[.nestedRoot] = EPTEntry.pointer(to: memory.root.value)
    if controls.hasIdentifiers { vmcs[.identifier] = UInt16(truncatingIfNeeded: identifier) }
    if controls.deliversInterrupts { setDelivery() }
    if let postedDescriptor {
      vmcs[.notificationVector] = UInt16(Vectors.posted)
      vmcs[.postedDescriptor] = postedDescriptor.value
    }
    placeControl()
    vmcs[.ownedCR0] = controls.cr0.owned
    vmcs[.ownedCR4] = controls.cr4.owned
  }

  /// No interrupt waits; no end of one exits, as there is no virtual APIC at which it could end.
  private func setDelivery() {
    vmcs[.interruptStatus] = VMXInterruptStatus.idle.rawValue
    vmcs[.endExits0] = 0
    vmcs[.endExits1] = 0
    vmcs[.endExits2] = 0
    vmcs[.endExits3] = 0
  }

  /// What an exit gives the core: all but CR3 and the stack, which `run` sets, is always the same.
  private func setHost() {
    vmcs[.hostCR0] = cx86_read_cr0()
    vmcs[.hostCR4] = cx86_read_cr4()
    vmcs[.hostEFER] = MSR.efer.value
    vmcs[.hostPAT] = MSR.attributes.value
    vmcs[.hostCS] = UInt16(Selector.kernelCode)
    vmcs[.hostSS] = UInt16(Selector.kernelData)
    vmcs[.hostDS] = UInt16(Selector.kernelData)
    vmcs[.hostES] = UInt16(Selector.kernelData)
    vmcs[.hostFS] = 0
    vmcs[.hostGS] = 0
    vmcs[.hostTR] = UInt16(Selector.task)
    vmcs[.hostFSBase] = 0
    vmcs[.hostGSBase] = 0
    vmcs[.hostTRBase] = host.value.taskBase
    vmcs[.hostGDTRBase] = host.value.descriptorsBase
    vmcs[.hostIDTRBase] = host.value.gatesBase
    vmcs[.hostSysenterCS] = 0
    vmcs[.hostSysenterESP] = 0
    vmcs[.hostSysenterEIP] = 0
    vmcs[.hostRIP] = host.value.exit
  }

  private func setGuest() {
    vmcs[.link] = .max
    vmcs[.debugControl] = 0
    vmcs[.activity] = 0
    vmcs[.interruptibility] = 0
    vmcs[.pendingDebug] = 0
    vmcs[.sysenterCS] = 0
    vmcs[.sysenterESP] = 0
    vmcs[.sysenterEIP] = 0
    vmcs[.cr0] = controls.cr0.held(0)
    vmcs[.cr3] = 0
    vmcs[.cr4] = controls.cr4.held(0)
    vmcs[.guestEFER] = 0
  }

  // MARK: - Failure

  /// Says on the log why the guest was not entered, the first time.
  func reportFailure() {
    guard !state.value.hasReported else { return }
    state.value.hasReported = true
    let reason = state.value.reason & 0xffff
    switch reason {
    case 0:
      let number = vmcs[.instructionError]
      log(.error, "VM entry failed: \(VMXInstructionError.sentence(number)) (error \(number))")
      if number == 7, let offence = controls.offence { log(.error, "  \(offence.description)") }
    case VMXExitCode.invalidMSR: log(.error, "VM entry failed: SPEC_CTRL of the guest has a value that cannot be")
    case VMXExitCode.machineCheckAtEntry: log(.error, "VM entry failed: machine check")
    default:
      if let sentence = VMXEntryFailure.sentence(vmcs[.qualification]) {
        log(.error, "\(sentence)")
      } else if let offence = guestState().offence {
        log(.error, offence.line)
      } else {
        log(.error, "VM entry refused the guest's state (qualification \(vmcs[.qualification]))")
      }
    }
  }

  private func guestState() -> VMXGuestState {
    var guest = VMXGuestState()
    guest.cr0 = vmcs[.cr0]
    guest.cr3 = vmcs[.cr3]
    guest.cr4 = vmcs[.cr4]
    guest.dr7 = vmcs[.dr7]
    guest.efer = vmcs[.guestEFER]
    guest.pat = vmcs[.guestPAT]
    guest.rip = vmcs[.rip]
    guest.rflags = vmcs[.rflags]
    guest.isLongMode = vmcs[.entryControls] & EntryControl.longMode.mask != 0
    guest.cs = segmentFields(.cs)
    guest.ss = segmentFields(.ss)
    guest.ds = segmentFields(.ds)
    guest.es = segmentFields(.es)
    guest.fs = segmentFields(.fs)
    guest.gs = segmentFields(.gs)
    guest.ldtr = segmentFields(.ldtr)
    guest.tr = segmentFields(.tr)
    guest.gdtr.base = vmcs[VMCSSegment.gdtr.base]
    guest.gdtr.limit = vmcs[VMCSSegment.gdtr.limit]
    guest.idtr.base = vmcs[VMCSSegment.idtr.base]
    guest.idtr.limit = vmcs[VMCSSegment.idtr.limit]
    guest.activity = vmcs[.activity]
    guest.interruptibility = vmcs[.interruptibility]
    guest.pendingDebug = vmcs[.pendingDebug]
    guest.injected = VMXEvent(rawValue: vmcs[.injection])
    guest.fixedCR0 = controls.cr0.held(0)
    guest.fixedCR4 = controls.cr4.held(0)
    return guest
  }

  private func segmentFields(_ field: VMCSSegment) -> VMXSegment {
    VMXSegment(
      selector: vmcs[field.selector], rights: vmcs[field.rights], limit: vmcs[field.limit], base: vmcs[field.base])
  }
}
