// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What a counter held, and the time-stamp counter at the same moment.
package struct TimedCount: Equatable, Sendable {
  package let count: UInt64
  package let tsc: UInt64

  package init(count: UInt64, tsc: UInt64) {
    self.count = count
    self.tsc = tsc
  }

  /// The closest of five looks: a core of an emulated machine may stand still between any two instructions, for
  /// milliseconds.
  package init(of counter: () -> UInt64, by clock: () -> UInt64) {
    var best = TimedCount(count: 0, tsc: 0)
    var narrowest = UInt64.max
    for _ in 0..<5 {
      let before = clock()
      let count = counter()
      let width = clock() &- before
      guard width < narrowest else { continue }
      narrowest = width
      best = TimedCount(count: count, tsc: before &+ width / 2)
    }
    self = best
  }

  /// By how much a counter that counts down fell for 2³² ticks of the time-stamp counter; at least 1.
  package func fallRatio(since first: TimedCount) -> UInt64 {
    let (high, low) = (first.count &- count).multipliedFullWidth(by: 1 << 32)
    let ticks = max(tsc &- first.tsc, 1)
    return high < ticks ? max(ticks.dividingFullWidth((high, low)).quotient, 1) : .max
  }
}
