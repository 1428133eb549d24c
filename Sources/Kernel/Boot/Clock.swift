// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import X86
import _Volatile

/// How fast the machine's counters run.
struct Clock {
  /// Ticks of the time-stamp counter in a second.
  let tscFrequency: UInt64
  /// Ticks of the local APIC's timer for 2³² ticks of the time-stamp counter; 0 where it takes deadlines.
  let timerRatio: UInt64
  /// What it was measured against.
  let reference: ReferenceClock

  /// Measures against a clock of known rate, for 20 ms.
  init(_ reference: ReferenceClock, apic: LocalAPIC, features: ProcessorFeatures) {
    self.reference = reference
    apic[.timerInitial] = UInt32.max
    let start = reference.read()
    let startCount = apic[.timerCurrent]
    var end = start
    while end.nanoseconds &- start.nanoseconds < 20_000_000 { end = reference.read() }
    let endCount = apic[.timerCurrent]
    apic[.timerInitial] = 0
    let ticks = end.tsc &- start.tsc
    tscFrequency = max(ticks &* 1_000_000 / ((end.nanoseconds &- start.nanoseconds) / 1000), 1_000_000)
    timerRatio =
      features.hasTSCDeadline ? 0 : max((UInt64(startCount &- endCount) << 32) / max(ticks, 1), 1)
  }
}

/// A clock whose rate is known.
enum ReferenceClock {
  /// The HPET, its counter running, and the femtoseconds of a tick.
  case hpet(PhysicalAddress, period: UInt64)
  /// Channel 2 of the 8254, counting down from 65535 at 1.193182 MHz; good for 54 ms.
  case intervalTimer

  init(_ hpet: HPETDescription?) {
    if let hpet, hpet.address.value < 4 * .GiB - 4096 {
      let period = UInt64(Self.register(hpet.address, 4).load())
      if period > 0, period <= 100_000_000 {
        let control = Self.register(hpet.address, 0x10)
        control.store(control.load() | 1)
        self = .hpet(hpet.address, period: period)
        return
      }
    }
    cx86_out8(0x61, cx86_in8(0x61) & ~2 | 1)
    cx86_out8(0x43, 0xb4)
    cx86_out8(0x42, 0xff)
    cx86_out8(0x42, 0xff)
    self = .intervalTimer
  }

  /// The clock and the time-stamp counter at one moment: the closest of five looks.
  func read() -> (nanoseconds: UInt64, tsc: UInt64) {
    var best = (nanoseconds: UInt64(0), tsc: UInt64(0))
    var narrowest = UInt64.max
    for _ in 0..<5 {
      let before = cx86_rdtsc()
      let nanoseconds = nanoseconds
      let after = cx86_rdtsc()
      if after &- before < narrowest {
        narrowest = after &- before
        best = (nanoseconds, before &+ narrowest / 2)
      }
    }
    return best
  }

  private var nanoseconds: UInt64 {
    switch self {
    case .hpet(let base, let period):
      // 32 bits of the counter last for more than 40 s at the slowest rate.
      return UInt64(Self.register(base, 0xF0).load()) &* period / 1_000_000
    case .intervalTimer:
      cx86_out8(0x43, 0x80)
      let low = UInt64(cx86_in8(0x42))
      let count = UInt64(cx86_in8(0x42)) << 8 | low
      return (65_535 - count) &* 1_000_000_000 / 1_193_182
    }
  }

  private static func register(_ base: PhysicalAddress, _ offset: UInt64) -> VolatileMappedRegister<UInt32> {
    // SAFETY: the HPET table named this page as the timer's registers; it is mapped uncached.
    unsafe VolatileMappedRegister(unsafeBitPattern: UInt(bitPattern: DirectMap.device(base + offset)))
  }
}
