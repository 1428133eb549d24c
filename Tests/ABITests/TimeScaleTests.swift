// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Testing

@Suite struct TimeScaleTests {
  private static let frequencies: [UInt64] = [
    1_000_000, 3_579_545, 14_318_180, 24_000_000, 999_999_999, 1_000_000_000, 1_000_000_001, 1_999_999_999,
    2_096_123_456, 2_500_000_000, 3_999_999_937, 4_000_000_000, 4_294_967_296, 5_999_999_999, 6_000_000_000,
  ]

  @Test(arguments: frequencies)
  func `an hour is right within one part in a million`(frequency: UInt64) {
    let scale = TimeScale(frequency: frequency)
    for seconds in [1, 60, 3600] as [UInt64] {
      let expected = seconds * 1_000_000_000
      let found = scale.nanoseconds(ofTicks: seconds * frequency)
      #expect(found <= expected)
      #expect(expected - found <= expected / 1_000_000)
    }
  }

  @Test func `every frequency from 1 MHz to 6 GHz is right within one part in a million`() {
    var frequency: UInt64 = 1_000_000
    while frequency <= 6_000_000_000 {
      let found = TimeScale(frequency: frequency).nanoseconds(ofTicks: frequency * 100)
      #expect(found <= 100_000_000_000 && found >= 100_000_000_000 - 100_000)
      frequency += frequency / 97 + 1
    }
  }

  @Test(arguments: frequencies)
  func `the multiplier uses all its bits, as KVM's clock wants it`(frequency: UInt64) {
    #expect(TimeScale(frequency: frequency).multiplier >= 1 << 31)
  }

  @Test(arguments: frequencies)
  func `a deadline in ticks is never before its time`(frequency: UInt64) {
    let scale = TimeScale(frequency: frequency)
    for nanoseconds in [0, 1, 999, 1_000_000, 1_000_000_000, 86_400_000_000_000] as [UInt64] {
      let reached = scale.nanoseconds(ofTicks: scale.ticks(ofNanoseconds: nanoseconds))
      #expect(reached >= nanoseconds)
      #expect(reached <= nanoseconds + 4 + 4 * (1_000_000_000 / frequency))
    }
  }

  @Test(arguments: frequencies)
  func `time does not run backwards`(frequency: UInt64) {
    let scale = TimeScale(frequency: frequency)
    var last: UInt64 = 0
    for ticks in (frequency * 1000)..<(frequency * 1000 + 5000) {
      let now = scale.nanoseconds(ofTicks: ticks)
      #expect(now >= last)
      last = now
    }
  }

  @Test func `ten years of ticks are still counted`() {
    let scale = TimeScale(frequency: 3_000_000_000)
    let seconds: UInt64 = 10 * 365 * 86_400
    let found = scale.nanoseconds(ofTicks: seconds * 3_000_000_000)
    #expect(found > (seconds - 400) * 1_000_000_000 && found <= seconds * 1_000_000_000)
  }
}
