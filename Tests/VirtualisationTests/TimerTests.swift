// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Virtualisation

/// The time-stamp counter and the timer as §26.5.1 of Intel's manual has them: the timer counts when bit `shift` of the
/// counter changes.
private func leavingTime(_ count: UInt32, from now: UInt64, shift: UInt64) -> UInt64 {
  count == 0 ? now : (now >> shift + UInt64(count)) << shift
}

@Suite struct TimerTests {
  @Test func `a guest leaves at its deadline, or within one count after it`() {
    var random = SplitMix64(seed: 52)
    for _ in 0..<fuzzRounds(10_000) {
      let shift = random.next() % 32
      let now = random.next() >> (random.next() % 40 + 1)
      let deadline = now + 1 + random.next() % (UInt64(UInt32.max) << shift)
      let time = leavingTime(VMXTimer(shift: shift).count(until: deadline, now: now), from: now, shift: shift)
      #expect(time >= deadline && time - deadline < 1 << shift)
    }
  }

  @Test(arguments: [0, 5, 7, 31] as [UInt64])
  func `a guest whose deadline has passed leaves at once`(shift: UInt64) {
    let timer = VMXTimer(shift: shift)
    #expect(timer.count(until: 0, now: 0) == 0)
    #expect(timer.count(until: 1000, now: 1000) == 0)
    #expect(timer.count(until: 999, now: 1000) == 0)
    #expect(timer.count(until: 0, now: .max) == 0)
    #expect(timer.count(until: .max, now: .max) == 0)
  }

  @Test(arguments: [0, 5, 7, 31] as [UInt64])
  func `a deadline that is too far away is met too early, never too late`(shift: UInt64) {
    let timer = VMXTimer(shift: shift)
    #expect(timer.count(until: .max, now: 0) == UInt32.max)
    #expect(timer.count(until: UInt64(UInt32.max) << shift, now: 0) == UInt32.max)
    #expect(timer.count(until: UInt64(UInt32.max) << shift + 1, now: 0) == UInt32.max)
    #expect(timer.count(until: .max, now: .max - 1) <= 1)
  }
}
