// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Firmware

@Suite struct CounterScaleTests {
  @Test func `readings of each clock become time`() throws {
    let hpet = try #require(CounterScale.hpet(period: 10_000_000))
    #expect(hpet.nanoseconds(from: 5, to: 2_000_005) == 20_000_000)
    #expect(CounterScale.powerTimer(bits: 24).nanoseconds(from: 0, to: 3_579_545) / 1000 == 1_000_000)
    // It counts down.
    #expect(CounterScale.intervalTimer.nanoseconds(from: 0xffff, to: 0xffff - 11932) / 1000 == 10_000)
  }

  @Test func `a counter that begins anew is no matter`() throws {
    let hpet = try #require(CounterScale.hpet(period: 10_000_000))
    #expect(hpet.nanoseconds(from: 0xffff_fff0, to: 0x10) == 0x20 * 10)
    #expect(CounterScale.powerTimer(bits: 24).nanoseconds(from: 0xff_ffff, to: 3) == 4 * 279_365_115 / 1_000_000)
    #expect(CounterScale.powerTimer(bits: 32).nanoseconds(from: 0xff_ffff, to: 0x100_0003) == 1117)
    // Bits above those that count are noise.
    #expect(CounterScale.powerTimer(bits: 24).nanoseconds(from: 0xab00_0000, to: 0x1200_0004) == 1117)
    #expect(CounterScale.intervalTimer.nanoseconds(from: 2, to: 0xfffe) == 4 * 838_095_345 / 1_000_000)
  }

  @Test func `a rate that cannot be is refused, and no reading traps`() {
    for period in [0, 100_000_001, .max] as [UInt64] { #expect(CounterScale.hpet(period: period) == nil) }
    for bits in [0, 1, 24, 32, 255] as [UInt8] {
      _ = CounterScale.powerTimer(bits: bits).nanoseconds(from: .max, to: 0)
      _ = CounterScale.powerTimer(bits: bits).nanoseconds(from: 0, to: .max)
    }
  }

  @Test func `the processor's word is taken where it says all three numbers`() {
    // Skylake-SP: a crystal of 25 MHz, times 168 over 2.
    #expect(ProcessorRate.frequency(2, 168, crystal: 25_000_000) == 2_100_000_000)
    #expect(ProcessorRate.frequency(0, 168, crystal: 25_000_000) == 0)
    #expect(ProcessorRate.frequency(2, 0, crystal: 25_000_000) == 0)
    #expect(ProcessorRate.frequency(2, 168, crystal: 0) == 0)
    #expect(ProcessorRate.frequency(1, .max, crystal: .max) == UInt64(UInt32.max) * UInt64(UInt32.max))
  }
}
