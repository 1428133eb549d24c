// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Processors
import Speculation
import Virtualisation
import X86

/// A vCPU on AMD SVM with nested paging (AMD APM volume 2, chapter 15).
struct SVMProcessor: GuestProcessor {
  let vmcb: VMCB
  let capabilities: SVMCapabilities
  /// Whether QEMU's TCG is the processor.
  let isTranslated: Bool
  let permissions: SVMPermissions
  /// The guest's SPEC_CTRL, where VMRUN does not switch it.
  var control: GuestControl
  /// What it is while the guest runs, once it is the guest's own.
  var ownControl: UInt64 = 0
  /// The entry of the nested page table that shows the overlay page, and what it holds while it does.
  let overlay: (entry: Cell<PageTableEntry>, shown: PageTableEntry)?

  /// What the guest may do with CR4 and EFER.
  let cr4 = ControlRule.svmCR4
  let efer = ControlRule.svmEFER
  /// EXITINTINFO and EVENTINJ: the event is there (§15.7.2, §15.20).
  static var eventValid: UInt64 { 1 << 31 }
  /// The intercept of IRET (table B-1), which is there while a guest handles an NMI.
  static var interruptReturn: UInt32 { 1 << 20 }

  init(
    vmcb: VMCB, memory: AddressSpace, asid: UInt32, permissions: SVMPermissions, capabilities: SVMCapabilities,
    intercepts: SVMIntercepts, control: GuestControl, isTranslated: Bool,
    overlay: (entry: Cell<PageTableEntry>, shown: PageTableEntry)?
  ) {
    self.permissions = permissions
    self.control = control
    self.vmcb = vmcb
    self.overlay = overlay
    self.capabilities = capabilities
    self.isTranslated = isTranslated
    vmcb[.interceptControl] = intercepts.control
    vmcb[.exceptions] = GuestIntercept.exceptions
    vmcb[.intercept1] = intercepts.first
    vmcb[.intercept2] = intercepts.second
    vmcb[.intercept3] = intercepts.third
    vmcb[.ioPermissions] = permissions.ports.value
    vmcb[.asid] = asid
    vmcb[.nestedPaging] = 1
    vmcb[.nestedCR3] = memory.root.value
    reset()
  }

  mutating func reset() {
    control.reset()
    ownControl = 0
    vmcb[.msrPermissions] = permissions.registers.value
    vmcb[.speculation] = 0
    vmcb[.eventInjection] = 0
    vmcb[.intercept1] &= ~Self.interruptReturn
    vmcb[.virtualInterrupt] = VirtualInterrupt.masksHost.rawValue
    forgetTranslations()
    vmcb[.interruptShadow] = 0
    vmcb[.exitInterrupt] = 0
    // The registers that guests write with no exit: nobody else sets them.
    vmcb[.star] = 0
    vmcb[.longStar] = 0
    vmcb[.compatibleStar] = 0
    vmcb[.callFlagMask] = 0
    vmcb[.kernelGSBase] = 0
    vmcb[.sysenterCS] = 0
    vmcb[.sysenterESP] = 0
    vmcb[.sysenterEIP] = 0
  }

  func forgetTranslations() { vmcb[.tlbControl] = capabilities.flush.rawValue }

  @inline(__always)
  mutating func run(_ registers: Cell<VirtualCPUState>, _ host: HostReturn, until _: UInt64) {
    repeat { enter(registers, host) } while settles(registers)
  }

  @inline(__always)
  private mutating func enter(_ registers: Cell<VirtualCPUState>, _ host: HostReturn) {
    let before = ProcessorFlags(rawValue: vmcb[.rflags])
    let injected = vmcb[.eventInjection] & Self.eventValid != 0
    // SAFETY: `VirtualCPUState` begins with the sixteen registers; the routine writes these alone.
    unsafe withUnsafeMutablePointer(to: &registers.value.registers) {
      let words = unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt64.self)
      let (vmcb, state, space) = (vmcb.address.value, host.state.value, host.space)
      if host.atExit.isEmpty {
        // SAFETY: as above.
        unsafe cx86_svm_run(vmcb, words, state, space.value, space.keeping)
      } else {
        // SAFETY: as above.
        unsafe enter(words, host)
      }
    }
    vmcb[.tlbControl] = 0
    if isTranslated { repairFlags(before, injected) }
    let interrupted = vmcb[.exitInterrupt]
    // Software interrupts (type 4) are executed again.
    let isRepeated = interrupted & Self.eventValid != 0 && interrupted.bits(8, count: 3) != 4
    vmcb[.eventInjection] = isRepeated ? interrupted : 0
    giveBackException()
  }

  /// Where something is to be done about what the guest leaves.
  @inline(never)
  @unsafe private mutating func enter(_ words: UnsafeMutablePointer<UInt64>, _ host: HostReturn) {
    let (vmcb, state, space) = (vmcb.address.value, host.state.value, host.space)
    let forgets = host.atExit.contains(.forgetsAtExit)
    guard control.isOwn else {
      // SAFETY: the caller's.
      return unsafe forgets
        ? cx86_svm_run_forgetting(vmcb, words, state, space.value, space.keeping)
        : cx86_svm_run_filled(vmcb, words, state, space.value, space.keeping)
    }
    // SAFETY: the caller's; and the routine reads and writes this one word.
    unsafe withUnsafeMutablePointer(to: &ownControl) {
      unsafe forgets
        ? cx86_svm_run_forgetting_control(vmcb, words, state, space.value, space.keeping, $0)
        : cx86_svm_run_filled_control(vmcb, words, state, space.value, space.keeping, $0)
    }
  }

  /// QEMU 7.2 saves a number for the flags of a guest that it stops between `cmpxchg8b` and the next instruction that
  /// sets them (decision 14).
  private func repairFlags(_ before: ProcessorFlags, _ injected: Bool) {
    let flags = ProcessorFlags(rawValue: vmcb[.rflags])
    guard flags.isImpossible else { return }
    vmcb[.rflags] =
      flags.repaired(enteredWith: before, mayBeInHandler: injected, isUser: vmcb[.privilegeLevel] == 3).rawValue
  }

  /// QEMU 7.2's VMRUN sets a word for the virtual interrupt that other threads change too.
  var mayLoseInterrupt: Bool { VirtualInterrupt(rawValue: vmcb[.virtualInterrupt]).contains(.pending) }

  /// An exit leaves an interrupt of the machine where it is.
  func takenInterrupt() -> UInt64? { nil }

  /// AVIC could (decision 21).
  func post(_ message: Int, ofSlot slot: Int) -> PostedAnswer { .refused }

  /// The exit as the VMCB holds it, without what only `describe` looks at.
  func exit() -> SVMExit {
    var exit = SVMExit(code: vmcb[.exitCode])
    exit.information1 = vmcb[.exitInformation1]
    exit.information2 = vmcb[.exitInformation2]
    return exit
  }

  @inline(__always)
  func exitReason() -> ExitReason? { exit().reason }

  func writtenPort() -> UInt16? { exit().writtenPort }

  func endsInTrap() -> Bool { ProcessorFlags(rawValue: vmcb[.rflags]).intersects(.debugging) }

  /// §15.10.2: the second word is where the next instruction is. An instruction in the shadow of STI ends it.
  func skipPortWrite() {
    vmcb[.rip] = vmcb[.exitInformation2]
    vmcb[.interruptShadow] = 0
  }
}
