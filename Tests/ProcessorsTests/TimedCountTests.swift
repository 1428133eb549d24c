// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Processors
import Testing

/// A machine whose counter falls by one for each two ticks of its clock, and that stands still when told.
private final class Machine {
  var tsc: UInt64 = 1000
  /// Ticks that pass before each reading of the clock or the counter.
  var delays: [UInt64]

  init(delays: [UInt64]) { self.delays = delays }

  private func pass() { tsc += delays.isEmpty ? 10 : delays.removeFirst() }

  func clock() -> UInt64 {
    pass()
    return tsc
  }

  func counter() -> UInt64 {
    pass()
    return (1 << 32) - tsc / 2
  }
}

@Suite struct TimedCountTests {
  @Test func `the look that took the least time counts`() {
    let machine = Machine(delays: [10, 5000, 10, 10, 10, 7000, 10, 4, 4])
    let count = TimedCount(of: machine.counter, by: machine.clock)
    #expect(count.count == (1 << 32) - count.tsc / 2)
  }

  @Test(arguments: 0..<15) func `a machine that stands still between two readings changes no rate`(place: Int) {
    var delays = [UInt64](repeating: 10, count: 15)
    delays[place] = 1_000_000
    let disturbed = Machine(delays: delays)
    let first = TimedCount(of: disturbed.counter, by: disturbed.clock)
    disturbed.tsc += 20_000_000
    let last = TimedCount(of: disturbed.counter, by: disturbed.clock)
    let ratio = last.fallRatio(since: first)
    #expect(ratio.distance(to: 1 << 31).magnitude < (1 << 31) / 100_000)
  }

  @Test func `a ratio is a number whatever the counters held`() {
    let zero = TimedCount(count: 0, tsc: 0)
    #expect(zero.fallRatio(since: zero) == 1)
    #expect(TimedCount(count: 0, tsc: 1).fallRatio(since: TimedCount(count: .max, tsc: 0)) == .max)
    #expect(TimedCount(count: 1, tsc: 10).fallRatio(since: TimedCount(count: 0, tsc: 0)) == .max)
    #expect(TimedCount(count: 50, tsc: 100).fallRatio(since: TimedCount(count: 100, tsc: 0)) == 1 << 31)
  }
}
