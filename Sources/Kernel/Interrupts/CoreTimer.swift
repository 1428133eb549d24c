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
///
/// Where guests leave by themselves at the end of their turn, the timer is for a core that sleeps and for components. It
/// is kept from firing in a guest, and a VMM, whose turns are short, may go on for a little while: so that it is not set
/// anew whenever a guest leaves.
struct CoreTimer {
  private var apic = LocalAPIC(MachineAPIC(.memory, base: PhysicalAddress(0xFEE0_0000)))
  /// Ticks of the APIC's counter for 2³² ticks of the time-stamp counter; 0 if the timer takes deadlines.
  private var ratio: UInt64 = 0
  /// Ticks by which it may fire late for a VMM; 0 where guests do not leave by themselves.
  private var patience: UInt64 = 0
  /// When the timer fires next; `UInt64.max` if it does not.
  private var armed = UInt64.max
  /// Ticks for which it was set, after which one that repeats fires again.
  private var wait: UInt64 = 0
  /// Whether it has fired since it was set.
  private var hasFired = false
  /// Whether it is one that counts again and again.
  private var repeats = false
  /// Whether it does so now.
  private var isRepeating = false

  /// Counts shorter than this are not repeated: they would fire all the time until somebody sets the timer anew.
  private static var leastRepeated: UInt64 { 1 << 18 }

  init() {}

  /// How well a time must be met.
  enum Accuracy {
    /// The core sleeps until then.
    case exact
    /// At that time or before. One that is set too early is left so: setting it costs as much as the one look at the
    /// threads that comes of it.
    case early
    /// Before or a little after, where guests leave by themselves.
    case late
  }

  /// - Parameter patience: How late it may fire for a VMM; 0 if guests do not leave by themselves.
  init(apic: LocalAPIC, ratio: UInt64, patience: UInt64) {
    self.apic = apic
    self.ratio = ratio
    self.patience = patience
  }

  /// Whether guests leave by themselves at the end of their turn.
  var leavesGuestsAlone: Bool { patience != 0 }

  /// Fires at `deadline`, or at once if that has passed; `UInt64.max` for never.
  mutating func arm(_ deadline: UInt64, now: UInt64, _ accuracy: Accuracy) {
    guard deadline != .max else { return silence() }
    let latest = accuracy == .late ? Self.sum(deadline, patience) : deadline
    // One that should have fired and did not is no reason to wait.
    guard latest < armed || armed <= now || accuracy == .exact && deadline != armed || isTooSoon(for: deadline, now)
    else { return }
    set(deadline, now)
  }

  /// Whether what it would do anyhow is to fire again, when less than half of the wait for `deadline` is over: most turns
  /// end by themselves long before, and need no setting then.
  private func isTooSoon(for deadline: UInt64, _ now: UInt64) -> Bool {
    hasFired && armed < deadline && armed &- now < (deadline &- now) / 2
  }

  /// A guest runs that leaves by itself at `deadline`: what would interrupt it before is put off.
  mutating func putOff(beyond deadline: UInt64, now: UInt64) {
    guard armed > now, armed <= deadline, armed != .max else { return }
    let later = Self.sum(deadline, patience / 2)
    if later == .max { stop() } else { set(later, now) }
  }

  private static func sum(_ time: UInt64, _ wait: UInt64) -> UInt64 {
    let (sum, isTooFar) = time.addingReportingOverflow(wait)
    return isTooFar ? .max : sum
  }

  private mutating func set(_ deadline: UInt64, _ now: UInt64) {
    armed = deadline
    hasFired = false
    let ticks = deadline > now ? deadline - now : 1
    wait = ticks
    if ratio == 0 {
      MSR.tscDeadline.value = deadline
    } else {
      let product = ticks.multipliedFullWidth(by: ratio)
      count(max(product.high << 32 | product.low >> 32, 1))
    }
  }

  /// The timer has fired. It is relied upon to fire again only once, so that a core that is busy has its turns end when
  /// they should.
  mutating func fired() {
    armed = isRepeating && !hasFired ? Self.sum(armed, wait) : .max
    hasFired = true
  }

  /// Counts down from `count`. While the timer repeats it never holds a short count, not even between two stores: an
  /// emulator that keeps up with that does nothing else.
  private mutating func count(_ count: UInt64) {
    let mustRepeat = count >= Self.leastRepeated && !leavesGuestsAlone
    if repeats, !mustRepeat { apic[.timerEntry] = UInt32(Vectors.timer) }
    apic[.timerInitial] = UInt32(clamping: count)
    if mustRepeat, !repeats { apic[.timerEntry] = UInt32(Vectors.timer) | LocalAPIC.periodic }
    repeats = mustRepeat
    isRepeating = mustRepeat
  }

  /// Never fires, until it is set again.
  private mutating func stop() {
    armed = .max
    isRepeating = false
    if ratio == 0 { MSR.tscDeadline.value = 0 } else { apic[.timerInitial] = 0 }
  }

  /// A timer that has fired and is wanted no more must not go on.
  private mutating func silence() {
    guard isRepeating, hasFired else { return }
    armed = .max
    isRepeating = false
    apic[.timerInitial] = 0
  }
}
