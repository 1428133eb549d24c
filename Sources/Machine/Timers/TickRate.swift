// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A counter's rate: turns guest time into whole ticks and back, exactly and without overflow for any time.
///
/// Both directions split off whole seconds first, so that no 128-bit division is needed.
struct TickRate: Equatable, Sendable, BitwiseCopyable {
  static var nanosecondsPerSecond: UInt64 { 1_000_000_000 }

  /// Ticks in a second, between 1 and 2³³.
  let frequency: UInt64

  /// The ticks that have passed at `now`: the product, rounded down.
  func ticks(at now: UInt64) -> UInt64 {
    let (seconds, rest) = now.quotientAndRemainder(dividingBy: Self.nanosecondsPerSecond)
    return seconds &* frequency &+ (rest &* frequency) / Self.nanosecondsPerSecond
  }

  /// The first time at which `ticks(at:)` is at least `tick`; `nil` if no clock gets there.
  func time(ofTick tick: UInt64) -> UInt64? {
    let (seconds, rest) = tick.quotientAndRemainder(dividingBy: frequency)
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: Self.nanosecondsPerSecond)
    let part = (rest &* Self.nanosecondsPerSecond &+ (frequency &- 1)) / frequency
    let (time, carry) = whole.addingReportingOverflow(part)
    return overflow || carry ? nil : time
  }
}
