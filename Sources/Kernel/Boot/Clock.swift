// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import Processors
import X86

/// How fast the machine's counters run.
struct Clock {
  /// Ticks of the time-stamp counter in a second.
  let tscFrequency: UInt64
  /// Ticks of the local APIC's timer for 2³² ticks of the time-stamp counter; 0 where it takes deadlines.
  let timerRatio: UInt64
  /// What they were measured by.
  let source: StaticString

  /// More ticks of any time-stamp counter than the measurement takes.
  private static var patience: UInt64 { 1 << 31 }

  /// Measures against a clock of known rate, for 20 ms; without one the processor's word is taken.
  static func measure(
    _ reference: ReferenceClock?, apic: LocalAPIC, features: ProcessorFeatures
  ) throws(BootError) -> Clock {
    guard let reference else { return try told(features, apic: apic) }
    apic[.timerInitial] = UInt32.max
    let firstCount = timerCount(apic)
    let start = reference.read()
    var end = start
    var elapsed: UInt64 = 0
    while elapsed < 20_000_000 {
      end = reference.read()
      elapsed = reference.scale.nanoseconds(from: start.count, to: end.count)
      guard end.tsc &- start.tsc < patience else { throw .refused("the clock that measures time has stopped") }
    }
    let lastCount = timerCount(apic)
    apic[.timerInitial] = 0
    return Clock(
      tscFrequency: max((end.tsc &- start.tsc) &* 1_000_000 / (elapsed / 1000), 1_000_000),
      timerRatio: features.hasTSCDeadline ? 0 : lastCount.fallRatio(since: firstCount), source: reference.name)
  }

  /// What the timer, which counts down, has left, and the time-stamp counter at the same moment.
  private static func timerCount(_ apic: LocalAPIC) -> TimedCount {
    TimedCount(of: { UInt64(apic[.timerCurrent]) }, by: cx86_rdtsc)
  }

  private static func told(_ features: ProcessorFeatures, apic: LocalAPIC) throws(BootError) -> Clock {
    let rate = features.toldRate
    let frequency = ProcessorRate.frequency(rate.denominator, rate.numerator, crystal: rate.crystal)
    guard frequency >= 1_000_000 else {
      throw .refused("no clock of known rate runs: neither the HPET nor ACPI's timer nor an 8254")
    }
    let source: StaticString = "the processor's word"
    guard !features.hasTSCDeadline else { return Clock(tscFrequency: frequency, timerRatio: 0, source: source) }
    apic[.timerInitial] = UInt32.max
    let first = timerCount(apic)
    while cx86_rdtsc() &- first.tsc < frequency / 50 {}
    let last = timerCount(apic)
    apic[.timerInitial] = 0
    return Clock(tscFrequency: frequency, timerRatio: last.fallRatio(since: first), source: source)
  }
}
