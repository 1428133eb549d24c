// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import CX86
import Virtualisation
import X86

/// Exceptions for which a guest leaves. The core's loop goes on after each, not the guest at once: with a debug trap due
/// at every entry neither an interrupt nor the end of a turn would ever be seen.
extension VMXProcessor {
  /// Takes an NMI of the machine, and has the next entry deliver an exception of the guest's. That takes the place of an
  /// event whose delivery met it.
  func settleException() {
    let met = VMXEvent(rawValue: vmcs[.exitInterruption])
    guard let returned = ReturnedException(met: met) else {
      if exit().isNonMaskable { cx86_take_nmi() }
      return
    }
    if returned.isDebug { settleDebug(returned) }
    inject(returned.event, errorCode: 0)
  }

  /// An exit for #DB leaves DR6 and DR7 as they were, and so does an injection (Intel SDM volume 3, §28.3.1.1 and
  /// §27.6.1.1).
  private func settleDebug(_ returned: ReturnedException) {
    state.value.dr6 = DebugStatus.merged(state.value.dr6, qualification: vmcs[.qualification])
    vmcs[.dr7] = vmcs[.dr7] & ~ExceptionPolicy.generalDetect
    let interruptibility = vmcs[.interruptibility]
    if returned.skipsInstruction {
      skipInstruction()
    } else if returned.mustStep(flags: vmcs[.rflags], interruptibility: interruptibility) {
      vmcs[.pendingDebug] = vmcs[.pendingDebug] | DebugStatus.singleStep
    }
  }

  /// Whether the guest has left, or was not entered, because the machine found an error.
  var metMachineCheck: Bool { exit().isMachineCheck }
}
