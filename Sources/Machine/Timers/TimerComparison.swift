// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A guest that measures one timer by another, and may lose its core between two looks.
///
/// 32-bit Linux believes the power management timer only if it agrees within 5 % with 30 ms of the 8254's channel 2: it
/// starts the channel, reads the timer, looks at port 0x61 until the channel is done, and reads the timer again
/// (`verify_pmtmr_rate`). A VM that others share a core with may be away for milliseconds before either reading. So the
/// first reading after a measurement began is of its beginning, and the first after its end, of its end.
///
/// For guests with KVM's clock alone: others measure their time-stamp counter by the timer, which then must be true.
struct TimerComparison: Sendable {
  /// When the channel began to count, and when it is done, in nanoseconds.
  struct Measurement: Equatable, Sendable {
    var start: UInt64
    var end: UInt64
  }

  /// A reading as long after an end has nothing to do with it: the longest count takes 55 ms.
  private static var reach: UInt64 { 60_000_000 }

  private var current = Measurement(start: .max, end: .max)
  /// What of `current` was read: neither, its beginning, its end.
  private var seen = 0
  private var last: UInt64 = 0

  /// What time the timer's reading at `now` is of; it never goes back.
  mutating func time(at now: UInt64, _ measurement: Measurement?) -> UInt64 {
    var time = now
    if let measurement {
      if measurement != current {
        current = measurement
        seen = 0
      }
      if now >= measurement.end {
        if seen < 2, now - measurement.end < Self.reach { time = measurement.end }
        seen = 2
      } else if seen == 0 {
        time = min(now, measurement.start)
        seen = 1
      }
    }
    last = max(last, time)
    return last
  }
}
