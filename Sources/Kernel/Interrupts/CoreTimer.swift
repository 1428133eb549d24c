// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Processors
import X86

/// A core's timer, set in ticks of the time-stamp counter.
///
/// It fires once for each setting, but for one thing: a counting timer counts again until it is set anew. QEMU 7.2 can
/// lose an interrupt of a core that enters a guest (`GuestProcessor.mayLoseInterrupt`), and a guest that never leaves
/// by itself would then keep its core for good; so the interrupt comes again.
struct CoreTimer {
  private var apic = LocalAPIC(MachineAPIC(.memory, base: PhysicalAddress(0xFEE0_0000)))
  /// Ticks of the APIC's counter for 2³² ticks of the time-stamp counter; 0 if the timer takes deadlines.
  private var ratio: UInt64 = 0
  /// What the timer is set to; `UInt64.max` if it is not.
  private var armed = UInt64.max
  /// Whether it is one that counts again and again.
  private var repeats = false
  /// Whether it does so now.
  private var isRepeating = false

  /// Counts shorter than this are not repeated: they would fire all the time until somebody sets the timer anew.
  private static var leastRepeated: UInt64 { 1 << 18 }

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
    guard deadline != .max else { return silence() }
    // One that should have fired and did not is no reason to wait.
    guard deadline < armed || armed <= now || exactly && deadline != armed else { return }
    armed = deadline
    let ticks = deadline > now ? deadline - now : 1
    if ratio == 0 {
      MSR.tscDeadline.value = deadline
    } else {
      let product = ticks.multipliedFullWidth(by: ratio)
      count(max(product.high << 32 | product.low >> 32, 1))
    }
  }

  /// The timer has fired.
  mutating func fired() { armed = .max }

  /// Counts down from `count`. While the timer repeats it never holds a short count, not even between two stores: an
  /// emulator that keeps up with that does nothing else.
  private mutating func count(_ count: UInt64) {
    let mustRepeat = count >= Self.leastRepeated
    if repeats, !mustRepeat { apic[.timerEntry] = UInt32(Vectors.timer) }
    apic[.timerInitial] = UInt32(clamping: count)
    if mustRepeat, !repeats { apic[.timerEntry] = UInt32(Vectors.timer) | LocalAPIC.periodic }
    repeats = mustRepeat
    isRepeating = mustRepeat
  }

  /// A timer that has fired and is wanted no more must not go on.
  private mutating func silence() {
    guard isRepeating, armed == .max else { return }
    isRepeating = false
    apic[.timerInitial] = 0
  }
}
