// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How fast a VM may send: a token bucket, kept as the time until which what was sent is paid for.
///
/// A sender may be ahead of its rate by `burst`; then it waits. Nothing is dropped.
struct RateLimit {
  /// Nanoseconds' worth of frames that may go at once.
  static var burst: UInt64 { 10_000_000 }

  private let bitsPerSecond: UInt64
  private var paidUntil: UInt64 = 0

  /// - Parameter bitsPerSecond: 0 for no limit.
  init(bitsPerSecond: UInt64) { self.bitsPerSecond = bitsPerSecond }

  /// When the next frame may go; `nil` if that is now.
  func delay(at now: UInt64) -> UInt64? {
    guard bitsPerSecond != 0, paidUntil > now, paidUntil - now > Self.burst else { return nil }
    return paidUntil - Self.burst
  }

  /// Counts a frame of at most 64 KiB that goes now.
  mutating func charge(bytes: Int, at now: UInt64) {
    guard bitsPerSecond != 0 else { return }
    paidUntil = max(paidUntil, now) &+ UInt64(bytes) &* 8_000_000_000 / bitsPerSecond
  }
}
