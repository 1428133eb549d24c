// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// An amount of memory as a person types it: `8 GiB`, `8GiB`, `8192 MiB`; a number alone counts MiB.
package struct MemorySize: Equatable, Sendable {
  package let mebibytes: Int

  /// The most that is believed: 1 PiB.
  private static let limit = 1 << 30

  package init?(_ text: String) {
    let number = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(number.count).drop { $0 == " " }
    guard let count = Int(number), let factor = Self.factor(unit), count > 0, count <= Self.limit / factor else {
      return nil
    }
    mebibytes = count * factor
  }

  private static func factor(_ unit: some StringProtocol) -> Int? {
    switch unit {
    case "", "M", "MiB": 1
    case "G", "GiB": 1024
    default: nil
    }
  }
}
