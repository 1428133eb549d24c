// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Ports of a switch: bit n is port n.
package struct PortSet: Flags {
  package let rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The set of one port.
  package static func port(_ number: Int) -> Self { .bit(number) }

  /// Takes the lowest port out.
  package mutating func takeFirst() -> Int? {
    guard rawValue != 0 else { return nil }
    let first = rawValue.trailingZeroBitCount
    self = Self(rawValue: rawValue & (rawValue &- 1))
    return first
  }

  /// The ports of it for which `body` is true.
  func filter(_ body: (Int) -> Bool) -> Self {
    var result = Self.none
    var rest = self
    while let port = rest.takeFirst() {
      if body(port) { result.insert(.port(port)) }
    }
    return result
  }

  /// Whether exactly one port is in it.
  var isSingle: Bool { rawValue != 0 && rawValue & (rawValue &- 1) == 0 }
}
