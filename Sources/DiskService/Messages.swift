// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Lines for people that wait to be logged; what does not fit is left out.
struct Messages: ~Copyable {
  private static var capacity: Int { 48 }
  private let inPlace = InPlace()
  private var lines = InlineArray<48, LogLine>(repeating: LogLine())
  private var levels = InlineArray<48, LogLevel>(repeating: .information)
  private var count = 0
  private var taken = 0

  mutating func add(_ level: LogLevel, _ line: LogLine) {
    guard count < Self.capacity else { return }
    lines[count] = line
    levels[count] = level
    count += 1
  }

  mutating func take() -> (level: LogLevel, line: LogLine)? {
    guard taken < count else {
      (count, taken) = (0, 0)
      return nil
    }
    taken += 1
    return (levels[taken - 1], lines[taken - 1])
  }
}
