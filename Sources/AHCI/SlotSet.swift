// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// One bit for each of a port's 32 command slots.
struct SlotSet: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }
}

extension Flags where RawValue == UInt32 {
  /// The lowest bit that is set.
  var first: Int? { isEmpty ? nil : rawValue.trailingZeroBitCount }

  /// How many bits are set.
  var count: Int { rawValue.nonzeroBitCount }

  /// Takes the lowest bit away.
  mutating func takeFirst() -> Int? {
    guard let index = first else { return nil }
    remove(.bit(index))
    return index
  }

  /// What is set here and not there.
  func subtracting(_ other: Self) -> Self { Self(rawValue: rawValue & ~other.rawValue) }
}
