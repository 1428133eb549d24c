// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import Processors
import _Volatile

/// A clock whose rate is known. Firmware may name one that stands still, and chipsets leave the 8254 out or stop it to
/// save power: the first that is seen to run counts.
struct ReferenceClock {
  private enum Source {
    case hpet(PhysicalAddress)
    /// The port of ACPI's power management timer.
    case powerTimer(UInt16)
    /// Channel 2 of the 8254, counting down from 65535: good for 54 ms.
    case intervalTimer
  }

  private let source: Source
  let scale: CounterScale

  /// The first that runs; `nil` if none does.
  static func find(_ machine: MachineDescription) -> ReferenceClock? {
    if let clock = hpet(machine.hpet), clock.isRunning { return clock }
    if let port = machine.fixed?.timerPort, let width = machine.fixed?.timerWidth {
      let clock = ReferenceClock(source: .powerTimer(port), scale: .powerTimer(bits: width))
      if clock.isRunning { return clock }
    }
    let clock = intervalTimer()
    return clock.isRunning ? clock : nil
  }

  var name: StaticString {
    switch source {
    case .hpet: "the HPET"
    case .powerTimer: "ACPI's timer"
    case .intervalTimer: "the 8254"
    }
  }

  func read() -> TimedCount { TimedCount(of: { count }, by: cx86_rdtsc) }

  /// Whether it moves, within a millisecond or so.
  private var isRunning: Bool {
    let first = count
    let start = cx86_rdtsc()
    while cx86_rdtsc() &- start < 1 << 23 {
      if count != first { return true }
    }
    return false
  }

  private var count: UInt64 {
    switch source {
    case .hpet(let base): return UInt64(Self.register(base, 0xF0).load())
    case .powerTimer(let port): return UInt64(cx86_in32(port))
    case .intervalTimer:
      cx86_out8(0x43, 0x80)
      let low = UInt64(cx86_in8(0x42))
      return UInt64(cx86_in8(0x42)) << 8 | low
    }
  }

  private static func hpet(_ description: HPETDescription?) -> ReferenceClock? {
    guard let base = description?.address, base.value < 4 * .GiB - 4096,
      let scale = CounterScale.hpet(period: UInt64(register(base, 4).load()))
    else { return nil }
    let control = register(base, 0x10)
    control.store(control.load() | 1)
    return ReferenceClock(source: .hpet(base), scale: scale)
  }

  private static func intervalTimer() -> ReferenceClock {
    cx86_out8(0x61, cx86_in8(0x61) & ~2 | 1)
    cx86_out8(0x43, 0xb4)
    cx86_out8(0x42, 0xff)
    cx86_out8(0x42, 0xff)
    return ReferenceClock(source: .intervalTimer, scale: .intervalTimer)
  }

  private static func register(_ base: PhysicalAddress, _ offset: UInt64) -> VolatileMappedRegister<UInt32> {
    // SAFETY: the HPET table named this page as the timer's registers; it is mapped uncached.
    unsafe VolatileMappedRegister(unsafeBitPattern: UInt(bitPattern: DirectMap.device(base + offset)))
  }
}
