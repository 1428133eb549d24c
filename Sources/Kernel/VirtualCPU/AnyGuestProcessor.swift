// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtualisation
import X86

/// The guest processors there are: one image of the kernel holds them all, and picks at boot. It is passed around at
/// every exit, so it is two words, and the processor itself stays where it is.
enum AnyGuestProcessor {
  case svm(Cell<SVMProcessor>)
  case vmx(Cell<VMXProcessor>)

  func load(_ state: inout VirtualCPUState) {
    switch self {
    case .svm(let processor): processor.value.load(&state)
    case .vmx(let processor): processor.value.load(&state)
    }
  }

  @inline(__always)
  func run(_ registers: Cell<VirtualCPUState>, _ host: HostReturn, until deadline: UInt64) {
    switch self {
    case .svm(let processor): processor.value.run(registers, host, until: deadline)
    case .vmx(let processor): processor.value.run(registers, host, until: deadline)
    }
  }

  var mayLoseInterrupt: Bool {
    switch self {
    case .svm(let processor): processor.value.mayLoseInterrupt
    case .vmx(let processor): processor.value.mayLoseInterrupt
    }
  }

  @inline(__always)
  func exitReason() -> ExitReason? {
    switch self {
    case .svm(let processor): processor.value.exitReason()
    case .vmx(let processor): processor.value.exitReason()
    }
  }

  @inline(__always)
  func takenInterrupt() -> UInt64? {
    switch self {
    case .svm(let processor): processor.value.takenInterrupt()
    case .vmx(let processor): processor.value.takenInterrupt()
    }
  }

  func post(_ message: Int, ofSlot slot: Int) -> PostedAnswer {
    switch self {
    case .svm(let processor): processor.value.post(message, ofSlot: slot)
    case .vmx(let processor): processor.value.post(message, ofSlot: slot)
    }
  }

  func writtenPort() -> UInt16? {
    switch self {
    case .svm(let processor): processor.value.writtenPort()
    case .vmx(let processor): processor.value.writtenPort()
    }
  }

  func endsInTrap() -> Bool {
    switch self {
    case .svm(let processor): processor.value.endsInTrap()
    case .vmx(let processor): processor.value.endsInTrap()
    }
  }

  func skipPortWrite() {
    switch self {
    case .svm(let processor): processor.value.skipPortWrite()
    case .vmx(let processor): processor.value.skipPortWrite()
    }
  }

  var metMachineCheck: Bool {
    switch self {
    case .svm(let processor): processor.value.metMachineCheck
    case .vmx(let processor): processor.value.metMachineCheck
    }
  }

  func store(_ reason: ExitReason, in state: inout VirtualCPUState) {
    switch self {
    case .svm(let processor): processor.value.store(reason, in: &state)
    case .vmx(let processor): processor.value.store(reason, in: &state)
    }
  }

  func forgetTranslations() {
    switch self {
    case .svm(let processor): processor.value.forgetTranslations()
    case .vmx(let processor): processor.value.forgetTranslations()
    }
  }

  func reset() {
    switch self {
    case .svm(let processor): processor.value.reset()
    case .vmx(let processor): processor.value.reset()
    }
  }
}
