// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// Linux's ticks are a period apart for as long as it runs, but where they fall between those of others is chance. A core
// with two idle guests then wakes twice in a period, or worse, leaves one guest's tick for the other's. A guest that
// sleeps does not know for how long: setting its time ahead by a part of a tick, once, is to it a sleep as long. So
// every guest moves its own ticks onto its core's grid, a period apart on the machine's clock, and none has to know of
// another. The grids of different cores are spread over the period, since what all cores do at once they do slowly.

/// Finds out when a guest's ticks fall, and by how much its time is to be set ahead for them to fall on the grid.
///
/// Linux begins its ticks anew when it changes clocks, and its seconds are not quite the machine's. So the ticks are
/// looked at again, after four times as many each time: a clock that somebody disciplines is left alone soon enough.
package struct TickAlignment {
  /// The periods of Linux's tick, in nanoseconds: 1000, 300, 250 and 100 times a second.
  static var periods: InlineArray<4, UInt64> { [1_000_000, 3_333_333, 4_000_000, 10_000_000] }
  /// As many ticks in a row must be a period apart.
  static var row: UInt64 { 16 }
  /// Ticks that are this part of a period from the grid, or less, are on it.
  static var tolerance: UInt64 { 128 }
  /// A tick may be this part of the wait for it late, so that guests wake together, and no more nanoseconds than these.
  package static var slackShare: UInt64 { LocalAPICPageSchedule.slackShare }
  package static var longestSlack: UInt64 { 100_000 }

  /// Where in a period the core's ticks fall, in 256ths.
  private let phase: UInt64
  /// Ticks that are not looked at before the next row, and how many that were in all after the last.
  private var left: UInt64 = 0
  private var pause = TickAlignment.row
  /// Of the ticks in a row: how far apart they are, how many there were after the first, and when that was due.
  private var period: UInt64 = 0
  private var count: UInt64 = 0
  private var first: UInt64 = 0
  private var last = UInt64.max
  /// By how much they were later than a whole number of periods after the first, all together.
  private var lateness: Int64 = 0

  /// - Parameter processor: The number of the processor that the guest is pinned to.
  package init(processor: UInt8) {
    phase = UInt64(Self.reversed(processor))
  }

  /// Its bits from the last to the first: numbers that follow one another end far apart.
  private static func reversed(_ number: UInt8) -> UInt8 {
    var result: UInt8 = 0
    for bit in 0..<8 { result |= (number >> bit & 1) << (7 - bit) }
    return result
  }

  /// Takes notice of the next tick of a guest that sleeps until then.
  /// - Parameter due: When that is, in guest time.
  /// - Returns: Whether it is the last of a row: `step` is wanted.
  @inline(__always)
  package mutating func endsRow(due: UInt64) -> Bool {
    guard left == 0 else {
      left &-= 1
      return false
    }
    return lengthenRow(due)
  }

  /// By how much the guest's time is to be set ahead, less than a period; `nil` if its ticks are where they should be.
  /// - Parameter start: When guest time was 0, on the machine's clock, in nanoseconds.
  package mutating func step(start: UInt64) -> UInt64? {
    let usual = start &+ first &+ UInt64(bitPattern: lateness / Int64(Self.row))
    let step = (usual &+ period &- period &* phase / 256) % period
    let isAligned = min(step, period &- step) <= period / Self.tolerance
    pause = min(pause &* 4, 1 << 32)
    left = pause
    last = .max
    return isAligned ? nil : step
  }

  private mutating func lengthenRow(_ due: UInt64) -> Bool {
    guard continues(due) else {
      (period, count, first, last, lateness) = (0, 0, due, due, 0)
      return false
    }
    last = due
    count &+= 1
    lateness &+= Int64(bitPattern: due &- first &- count &* period)
    return count == Self.row
  }

  /// Whether a tick at `due` comes a period after the last one, be it that of the row or the first of one.
  private mutating func continues(_ due: UInt64) -> Bool {
    guard due > last else { return false }
    let wait = due &- last
    if period == 0 { period = Self.period(of: wait) }
    return period != 0 && Self.isClose(wait, to: period)
  }

  /// The period that two ticks are apart; 0 if they are not ticks.
  private static func period(of wait: UInt64) -> UInt64 {
    for index in 0..<periods.count where isClose(wait, to: periods[index]) { return periods[index] }
    return 0
  }

  private static func isClose(_ wait: UInt64, to period: UInt64) -> Bool {
    let tolerance = period / 16
    return wait >= period &- tolerance && wait <= period &+ tolerance
  }
}
