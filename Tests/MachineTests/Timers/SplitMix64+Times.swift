// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport

extension SplitMix64 {
  /// Times as guests see them: mostly a little later, now and then ages later, never earlier.
  mutating func later(than now: UInt64) -> UInt64 {
    let step = next() >> (next() % 64)
    let (sum, overflow) = now.addingReportingOverflow(next() % 100 == 0 ? step : step % 50_000_000)
    return overflow ? .max : sum
  }
}
