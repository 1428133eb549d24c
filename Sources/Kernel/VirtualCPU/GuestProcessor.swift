// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import X86

/// What the kernel needs of a processor's virtualisation: the one interface to either vendor's.
///
/// The state between exits is the VMM's page; a processor moves it to and from the hardware's own structure, and lets
/// nothing of it reach beyond the guest.
protocol GuestProcessor {
  /// Takes over what the VMM may have changed: general and control registers, injection; segments if it says so.
  func load(_ state: inout VirtualCPUState)
  /// Runs the guest with `registers` until an exit; other registers of the host come back from `hostState`.
  func run(_ registers: Cell<VirtualCPUState>, hostState: PhysicalAddress)
  /// Whether an emulated machine may lose one of its own interrupts when the guest enters as it is now.
  var mayLoseInterrupt: Bool { get }
  /// Why the guest stopped; `nil` if that was the kernel's own affair (an interrupt of the machine).
  func exitReason() -> ExitReason?
  /// The port of the OUT that the guest left for; `nil` if it left for anything else, OUTS included.
  func writtenPort() -> UInt16?
  /// Has the guest go on after that OUT.
  func skipPortWrite()
  /// Gives the VMM the guest's state, as far as `reason` needs it.
  func store(_ reason: ExitReason, in state: inout VirtualCPUState)
  /// Forgets all translations of the guest's addresses.
  func forgetTranslations()
  /// Forgets all translations and pending events of the guest, and the registers that only it writes.
  func reset()
}

/// The guest processors there are: one image of the kernel holds them all, and picks at boot.
enum AnyGuestProcessor {
  case svm(SVMProcessor)
  case vmx(VMXProcessor)

  func load(_ state: inout VirtualCPUState) {
    switch self {
    case .svm(let processor): processor.load(&state)
    case .vmx(let processor): processor.load(&state)
    }
  }

  func run(_ registers: Cell<VirtualCPUState>, hostState: PhysicalAddress) {
    switch self {
    case .svm(let processor): processor.run(registers, hostState: hostState)
    case .vmx(let processor): processor.run(registers, hostState: hostState)
    }
  }

  var mayLoseInterrupt: Bool {
    switch self {
    case .svm(let processor): processor.mayLoseInterrupt
    case .vmx(let processor): processor.mayLoseInterrupt
    }
  }

  func exitReason() -> ExitReason? {
    switch self {
    case .svm(let processor): processor.exitReason()
    case .vmx(let processor): processor.exitReason()
    }
  }

  func writtenPort() -> UInt16? {
    switch self {
    case .svm(let processor): processor.writtenPort()
    case .vmx(let processor): processor.writtenPort()
    }
  }

  func skipPortWrite() {
    switch self {
    case .svm(let processor): processor.skipPortWrite()
    case .vmx(let processor): processor.skipPortWrite()
    }
  }

  func store(_ reason: ExitReason, in state: inout VirtualCPUState) {
    switch self {
    case .svm(let processor): processor.store(reason, in: &state)
    case .vmx(let processor): processor.store(reason, in: &state)
    }
  }

  func forgetTranslations() {
    switch self {
    case .svm(let processor): processor.forgetTranslations()
    case .vmx(let processor): processor.forgetTranslations()
    }
  }

  func reset() {
    switch self {
    case .svm(let processor): processor.reset()
    case .vmx(let processor): processor.reset()
    }
  }
}
