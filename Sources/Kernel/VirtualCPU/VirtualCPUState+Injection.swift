// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import X86

/// What an interrupt on offer means, whoever made the processor.
extension VirtualCPUState {
  /// Whether there is one, and the guest can take it as it is now.
  var canTakeInterrupt: Bool {
    injection.interrupt & Injection.valid != 0 && rflags & 1 << 9 != 0 && interruptShadow == 0
  }

  /// Whether the exception to inject has an error code: in real mode none has, and VMX refuses one.
  var givesErrorCode: Bool { injection.exception & Injection.hasErrorCode != 0 && cr0 & CR0.protection.rawValue != 0 }

  /// The guest has left; one that is no longer pending was taken, or is on its way: an event whose delivery was cut
  /// short is injected again by `run`.
  mutating func noteInterrupt(isPending: Bool) {
    guard injection.interrupt != 0, !isPending else { return }
    injection.interrupt = 0
    injection.wasTaken = 1
  }
}
