// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Processors
import Virtualisation
import X86

/// Interrupts of other cores, while the guest runs and its local APIC is the processor's.
extension VMXProcessor {
  /// Other cores may post from here on. What was posted before, and whose announcement the kernel or a component took for
  /// an interrupt of the core, is announced again: interrupts are off, so the processor sees to it right after the entry.
  @inline(__always)
  func beginPosting() {
    guard let posted, state.value.isShared else { return }
    if posted.begin() { LocalAPIC.own.sendToSelf(Vectors.posted) }
  }

  @inline(__always)
  func endPosting() {
    guard let posted, state.value.isShared else { return }
    posted.end()
  }

  func post(_ message: Int, ofSlot slot: Int) -> PostedAnswer { posted?.post(message, ofSlot: slot) ?? .refused }
}
