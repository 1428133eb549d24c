// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Processors
import Speculation
import Virtualisation
import X86

/// A vCPU on Intel VMX with extended page tables and an unrestricted guest (Intel SDM volume 3, chapters 25 to 29).
///
/// Its VMCS is made when it is reset, by the core that it belongs to for good: no other core ever touches it.
struct VMXProcessor: GuestProcessor {
  let vmcs: VMCS
  let controls: VMXControls
  let memory: AddressSpace
  /// The number of the guest's translations; from 1.
  let identifier: UInt32
  let permissions: VMXPermissions
  /// The guest's SPEC_CTRL after a reset.
  let control: GuestControl
  /// What the VMCS has no field for.
  let state: Cell<VMXState>
  /// The page of the core.
  let host: Cell<VMXHost>
  /// The page in which the processor keeps CR8.
  let virtualAPIC: PhysicalAddress
  /// What other cores give to the guest while it runs; `nil` where they cannot.
  let posted: PostedInterrupts?
  /// Where that is for the processor.
  let postedDescriptor: PhysicalAddress?
  /// The entry of the nested page table that shows the overlay page, and what it holds while it does.
  let overlay: (entry: Cell<PageTableEntry>, shown: PageTableEntry)?

  /// Makes this guest's VMCS the core's current one.
  func activate() {
    guard host.value.current != vmcs.address.value else { return }
    vmcs.load()
    host.value.current = vmcs.address.value
  }

  func forgetTranslations() { state.value.mustForget = true }

  /// A processor that could lose an interrupt here is not known.
  var mayLoseInterrupt: Bool { false }

  // MARK: - Running

  func run(_ registers: Cell<VirtualCPUState>, _ host: HostReturn, until deadline: UInt64) {
    activate()
    if state.value.hostSpace != host.space.value {
      state.value.hostSpace = host.space.value
      vmcs[.hostCR3] = host.space.value
    }
    if cx86_read_cr3() != host.space.value { cx86_write_cr3(host.space.keeping) }
    beginPosting()
    repeat { enter(registers, host, until: deadline) } while settles(registers)
    endPosting()
  }

  private func enter(_ registers: Cell<VirtualCPUState>, _ host: HostReturn, until deadline: UInt64) {
    #if FAULT_INJECTION
      // An exit would come back to another address space, with the translations of this one.
      precondition(cx86_read_cr3() == host.space.value && vmcs[.hostCR3] == host.space.value)
    #endif
    if state.value.mustForget { forgetNow() }
    if let timer = controls.timer { vmcs[.timer] = timer.count(until: deadline, now: cx86_rdtsc()) }
    if cx86_read_cr2() != state.value.cr2 { cx86_write_cr2(state.value.cr2) }
    if cx86_read_dr6() != state.value.dr6 { cx86_write_dr6(state.value.dr6) }
    state.value.known.isCurrent = false
    // SAFETY: `VirtualCPUState` begins with the sixteen registers; the routine writes these alone.
    let failed = unsafe withUnsafeMutablePointer(to: &registers.value.registers) {
      unsafe cx86_vmx_run(
        UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt64.self), state.value.isLaunched ? 1 : 0)
    }
    guard failed == 0 else {
      state.value.reason = 1 << 31
      return reportFailure()
    }
    state.value.isLaunched = true
    state.value.cr2 = cx86_read_cr2()
    state.value.dr6 = cx86_read_dr6()
    state.value.reason = vmcs[.exitReason]
    if state.value.reason & 1 << 31 != 0 { return reportFailure() }
    state.value.isInjecting = false
    if state.value.reason == VMXExitCode.port { state.value.qualification = vmcs[.qualification] }
    noticeDelivery()
    if !VMXExitCode.isInstruction(state.value.reason) { repeatEvent() }
  }

  private func forgetNow() {
    state.value.mustForget = false
    let failed = cx86_invept(controls.forgetsOne ? 1 : 2, EPTEntry.pointer(to: memory.root.value))
    precondition(failed == 0)
  }

  /// Has an event whose delivery the exit cut short be delivered again.
  private func repeatEvent() {
    guard let repeated = VMXEvent(rawValue: vmcs[.vectoring]).repeated else { return }
    inject(repeated, errorCode: repeated.hasErrorCode ? vmcs[.vectoringErrorCode] : 0)
  }

  /// Has the next entry deliver `event`, in the place of any other.
  func inject(_ event: VMXEvent, errorCode: UInt32) {
    vmcs[.injection] = event.rawValue
    if event.hasErrorCode { vmcs[.injectionErrorCode] = errorCode }
    state.value.isInjecting = true
  }

  /// Has the next entry deliver #GP. In real mode there are no error codes, and VM entry takes none (Intel SDM volume 3,
  /// §27.2.1.3).
  func injectProtectionFault() {
    inject(.exception(13, hasErrorCode: vmcs[.cr0] & CR0.protection.rawValue != 0), errorCode: 0)
  }

  // MARK: - Exits that nobody else hears of

  /// Does what an exit wants that no VMM needs to see. → whether the guest goes on at once
  private func settles(_ registers: Cell<VirtualCPUState>) -> Bool {
    switch state.value.reason & 0x8000_ffff {
    case VMXExitCode.interruptWindow:
      if !state.value.isInjecting {
        inject(.interrupt(state.value.pendingVector), errorCode: 0)
        withdrawInterrupt()
      }
      return true
    case VMXExitCode.controlRegister: return settlesControlRegister(registers)
    case VMXExitCode.readMSR: return settlesControl(registers, isWrite: false)
    case VMXExitCode.writeMSR: return settlesControl(registers, isWrite: true)
    case VMXExitCode.exception:
      settleException()
      return false
    default: return false
    }
  }

  /// Has the guest exit as soon as it can take an interrupt.
  func openWindow() { vmcs[.processorControls] = controls.processor | ProcessorControl.interruptWindow.mask }

  /// A guest wrote to CR0 or CR4 so that a bit would change that is not its own (Intel SDM volume 3, table 28-3). It is
  /// shown the change; then it executes the instruction again, which now changes nothing of ours, and the processor does
  /// the rest of it. A bit that nobody has is #GP.
  private func settlesControlRegister(_ registers: Cell<VirtualCPUState>) -> Bool {
    let qualification = vmcs[.qualification]
    guard qualification.bits(4, count: 2) == 0 else { return false }
    let source = Int(qualification.bits(8, count: 4))
    let value = source == 4 ? vmcs[.rsp] : registers.value.registers.words[source]
    switch qualification.bits(0, count: 4) {
    case 0:
      return settles(
        value, of: .shadowCR0, &state.value.known.shadowCR0, controls.cr0, isAllowed: ControlRule.allowsCR0(value))
    case 4:
      return settles(
        value, of: .shadowCR4, &state.value.known.shadowCR4, controls.cr4,
        isAllowed: value & controls.cr4.refused == 0)
    default: return false
    }
  }

  /// → whether the guest goes on: not where it would only leave again
  private func settles(
    _ value: UInt64, of shadow: VMCSField<UInt64>, _ shown: inout UInt64, _ rule: ControlRule, isAllowed: Bool
  ) -> Bool {
    guard isAllowed else {
      injectProtectionFault()
      return true
    }
    guard (shown ^ value) & rule.owned != 0 else { return false }
    shown = rule.shown(shown, shadow: value)
    vmcs[shadow] = shown
    return true
  }

  // MARK: - Exits

  /// The exit as the VMCS holds it, as far as `reason` and `writtenPort` look.
  func exit() -> VMXExit {
    var exit = VMXExit(code: state.value.reason)
    if state.value.reason == VMXExitCode.port { exit.qualification = state.value.qualification }
    if state.value.reason == VMXExitCode.exception { exit.interruption = vmcs[.exitInterruption] }
    return exit
  }

  func exitReason() -> ExitReason? { exit().reason }

  func takenInterrupt() -> UInt64? {
    guard controls.posting != 0, state.value.reason == VMXExitCode.interrupt else { return nil }
    return VMXEvent(rawValue: vmcs[.exitInterruption]).vector
  }

  func writtenPort() -> UInt16? { exit().writtenPort }

  func endsInTrap() -> Bool { ProcessorFlags(rawValue: vmcs[.rflags]).intersects(.debugging) }

  func skipPortWrite() { skipInstruction() }

  /// An instruction in the shadow of STI ends it.
  func skipInstruction() {
    vmcs[.rip] = vmcs[.rip] &+ UInt64(vmcs[.instructionLength])
    let before = vmcs[.interruptibility]
    if before & 3 != 0 { vmcs[.interruptibility] = before & ~3 }
  }
}
