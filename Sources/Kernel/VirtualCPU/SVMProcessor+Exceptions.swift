// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Virtualisation
import X86

/// Exceptions for which a guest leaves.
extension SVMProcessor {
  /// Has the next entry deliver the exception for which the guest has left, if that is the guest's. It takes the place of
  /// an event whose delivery met it.
  @inline(__always)
  mutating func giveBackException() {
    let code = vmcb[.exitCode]
    guard code < SVMExitCode.interrupt, let event = ReturnedInterception.event(exitCode: code) else { return }
    vmcb[.eventInjection] = event
    if code == SVMExitCode.debug { vmcb[.dr7] &= ~ExceptionPolicy.generalDetect }
  }

  /// Whether the guest has left because the machine found an error. Where a guest has cleared CR4.MCE, that is a
  /// shutdown.
  var metMachineCheck: Bool {
    let code = vmcb[.exitCode]
    return code == SVMExitCode.machineCheck || code == SVMExitCode.shutdown
  }
}
