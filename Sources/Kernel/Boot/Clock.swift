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
    let start = reference.read()
    let startCount = apic[.timerCurrent]
    var end = start
    var elapsed: UInt64 = 0
    while elapsed < 20_000_000 {
      end = reference.read()
      elapsed = reference.scale.nanoseconds(from: start.count, to: end.count)
      guard end.tsc &- start.tsc < patience else { throw .refused("the clock that measures time has stopped") }
    }
    let endCount = apic[.timerCurrent]
    apic[.timerInitial] = 0
    let ticks = end.tsc &- start.tsc
    return Clock(
      tscFrequency: max(ticks &* 1_000_000 / (elapsed / 1000), 1_000_000),
      timerRatio: features.hasTSCDeadline ? 0 : max((UInt64(startCount &- endCount) << 32) / max(ticks, 1), 1),
      source: reference.name)
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
    let start = cx86_rdtsc()
    while cx86_rdtsc() &- start < frequency / 50 {}
    let count = UInt32.max &- apic[.timerCurrent]
    apic[.timerInitial] = 0
    let ratio = max((UInt64(count) << 32) / (frequency / 50), 1)
    return Clock(tscFrequency: frequency, timerRatio: ratio, source: source)
  }
}
