// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How often people hear of a port that fails: a driver that breaks its card, resets it and breaks it again as fast as
/// it can must not fill the console.
package struct ReportLimit {
  /// Nanoseconds from one report of a port to its next.
  package static var interval: UInt64 { 5_000_000_000 }

  private var quietUntil = InlineArray<16, UInt64>(repeating: 0)
  private var withheld = InlineArray<16, UInt32>(repeating: 0)

  package init() {}

  /// `port` failed.
  /// - Returns: How many of its failures were not reported since the last that was; `nil` if this one is not either.
  package mutating func admit(port: Int, now: UInt64) -> UInt32? {
    guard now >= quietUntil[port] else {
      withheld[port] &+= 1
      return nil
    }
    defer { withheld[port] = 0 }
    quietUntil[port] = now &+ Self.interval
    return withheld[port]
  }
}
