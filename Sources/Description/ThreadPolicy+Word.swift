// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

/// How a description says it.
extension ThreadPolicy {
  /// The words, in the order of their numbers.
  static let words = ["refuse", "warn", "share"]

  init?(word: String) {
    guard let index = Self.words.firstIndex(of: word) else { return nil }
    self.init(rawValue: UInt16(index))
  }
}
