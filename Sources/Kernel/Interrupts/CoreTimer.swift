// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import X86

/// A core's one-shot timer, set in ticks of the time-stamp counter.
struct CoreTimer {
  private var apic = LocalAPIC(base: PhysicalAddress(0xFEE0_0000))
  /// Ticks of the APIC's counter for 2³² ticks of the time-stamp counter; 0 if the timer takes deadlines.
  private var ratio: UInt64 = 0
  /// What the timer is set to; `UInt64.max` if it is not.
  private var armed = UInt64.max

  init() {}

  init(apic: LocalAPIC, ratio: UInt64) {
    self.apic = apic
    self.ratio = ratio
  }

  /// Fires at `deadline`, or at once if that has passed; `UInt64.max` for never.
  ///
  /// One that is set too early is left so while the core is busy: setting it costs as much as the one look at the
  /// threads that comes of it. A core that goes to sleep wants to be woken `exactly`.
  mutating func arm(_ deadline: UInt64, now: UInt64, exactly: Bool) {
    // One that should have fired and did not is no reason to wait.
    guard deadline < armed || armed <= now || exactly && deadline != armed else { return }
    guard deadline != .max else { return }
    armed = deadline
    let ticks = deadline > now ? deadline - now : 1
    if ratio == 0 {
      MSR.tscDeadline.value = deadline
    } else {
      let product = ticks.multipliedFullWidth(by: ratio)
      let count = product.high << 32 | product.low >> 32
      apic[.timerInitial] = UInt32(clamping: max(count, 1))
    }
  }

  /// The timer has fired.
  mutating func fired() { armed = .max }
}
