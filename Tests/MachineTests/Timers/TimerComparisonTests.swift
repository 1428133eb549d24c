// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Machine

/// Linux' `verify_pmtmr_rate` (drivers/clocksource/acpi_pm.c), on a core that it shares.
struct TimerComparisonTests {
  /// What it expects of 30 ms: ticks of 3.579545 MHz in a count of 1193182 / 1000 · 30.
  private static let expected: ClosedRange<UInt32> = 102_018...112_757

  /// Starts 30 ms of channel 2, loses the core for `early` before the first reading and for `late` before the last.
  private func measure(_ guest: ScriptedGuest, early: UInt64, late: UInt64) -> UInt32 {
    guest.out(0x61, guest.input(0x61) & ~2 | 1)
    guest.out(0x43, 0xb0)
    guest.out(0x42, 35_790 & 0xff)
    guest.out(0x42, 35_790 >> 8)
    guest.now += early + 2_000
    let first = guest.input(0x608, width: 4)
    let end = guest.now - early + 29_990_000
    while guest.input(0x61) & 0x20 == 0 {
      guest.now += 3_000
      if guest.now > end, guest.now < end + late { guest.now += late }
    }
    guest.now += 2_000
    return guest.input(0x608, width: 4) &- first & 0xff_ffff
  }

  private func guestWithClock() -> ScriptedGuest {
    let guest = ScriptedGuest()
    guest.now = 777_777_777
    guest.writeMSR(0x4b56_4d01, 0x1001)
    return guest
  }

  @Test(arguments: [(0, 0), (8_000_000, 0), (0, 9_000_000), (12_000_000, 25_000_000)] as [(UInt64, UInt64)])
  func `the power management timer agrees with the 8254 though the core was lost`(early: UInt64, late: UInt64) {
    let guest = guestWithClock()
    for _ in 0..<3 {
      #expect(Self.expected.contains(measure(guest, early: early, late: late)))
      guest.now += 40_000_000
    }
  }

  @Test func `without KVM's clock, and apart from a measurement, it tells the time`() {
    let plain = ScriptedGuest()
    #expect(measure(plain, early: 8_000_000, late: 0) < Self.expected.lowerBound)
    let guest = guestWithClock()
    _ = measure(guest, early: 0, late: 0)
    for _ in 0..<2 {
      guest.now += 100_000_000
      #expect(UInt64(guest.input(0x608, width: 4)) == guest.now * 3_579_545 / 1_000_000_000 & 0xff_ffff)
    }
  }

  @Test func `whatever is measured, it never goes back`() {
    var random = SplitMix64(seed: 8)
    var comparison = TimerComparison()
    var now: UInt64 = 0
    var last: UInt64 = 0
    var measurement: TimerComparison.Measurement?
    for _ in 0..<fuzzRounds(20_000) {
      now += random.next() % 20_000_000
      if random.next() % 4 == 0 {
        let start = now &- random.next() % 1000
        measurement = random.next() % 5 == 0 ? nil : .init(start: start, end: start &+ random.next() % 55_000_000)
      }
      let time = comparison.time(at: now, measurement)
      #expect(time >= last && time <= now && (now - time < 60_000_000))
      last = time
    }
  }
}
