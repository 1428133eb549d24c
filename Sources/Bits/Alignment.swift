// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension FixedWidthInteger {
  /// The largest multiple of `alignment` (a power of two) that is not above this.
  package func roundedDown(to alignment: Self) -> Self { self & ~(alignment &- 1) }

  /// The smallest multiple of `alignment` (a power of two) that is not below this; `nil` if it does not fit the type.
  package func roundedUp(to alignment: Self) -> Self? {
    let (sum, overflow) = addingReportingOverflow(alignment &- 1)
    return overflow ? nil : sum.roundedDown(to: alignment)
  }

  /// Whether this is a multiple of `alignment`, a power of two.
  package func isAligned(to alignment: Self) -> Bool { self & (alignment &- 1) == 0 }

  /// The `count` bits from bit `low` up, moved down to bit 0.
  @inline(__always)
  package func bits(_ low: Int, count: Int) -> Self {
    (self >> Self(truncatingIfNeeded: low)) & ((1 << Self(truncatingIfNeeded: count)) &- 1)
  }
}

extension UInt64 {
  package static var KiB: UInt64 { 1 << 10 }
  package static var MiB: UInt64 { 1 << 20 }
  package static var GiB: UInt64 { 1 << 30 }
}

/// Whether `[start, start + count)` lies inside `[0, limit)`, first to last, without overflow.
package func fits(_ start: UInt64, count: UInt64, in limit: UInt64) -> Bool {
  start <= limit && count <= limit - start
}
