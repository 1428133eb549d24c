// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware

/// The machine's battery-backed clock, read once.
enum WallClock {
  /// Seconds since 1970, and the time-stamp counter when they were read; 0 seconds if the clock makes no sense.
  static func read(centuryIndex: UInt8) -> (seconds: UInt64, tsc: UInt64) {
    // Two equal readings with no update between them; the update flag is up for at most 2 ms each second.
    var last = raw(centuryIndex)
    for _ in 0..<10_000 {
      let next = raw(centuryIndex)
      if next.isStable, last.isStable, next.time == last.time { break }
      last = next
    }
    return (last.time.secondsSince1970, cx86_rdtsc())
  }

  private static func raw(_ centuryIndex: UInt8) -> (time: CalendarTime, isStable: Bool) {
    let isUpdating = register(0x0A) & 0x80 != 0
    let time = CalendarTime(
      second: register(0), minute: register(2), hour: register(4), day: register(7), month: register(8),
      year: register(9), century: centuryIndex == 0 ? 0 : register(centuryIndex & 0x7f), registerB: register(0x0B))
    return (time, !isUpdating)
  }

  private static func register(_ index: UInt8) -> UInt8 {
    cx86_out8(0x70, index)
    return cx86_in8(0x71)
  }
}
