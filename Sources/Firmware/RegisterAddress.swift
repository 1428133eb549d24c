// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A register as ACPI names it, the "generic address structure" (ACPI 6.5, §5.2.3.2).
package struct RegisterAddress: Equatable, Sendable, BitwiseCopyable {
  package enum Space: UInt8, Sendable, BitwiseCopyable {
    case memory = 0
    case port = 1
    case configuration = 2
  }

  package let space: Space
  package let bitWidth: UInt8
  package let address: UInt64

  /// `nil` if there is none: an address of 0, an unknown space, a port that does not exist.
  init?(at offset: Int, in table: RawSpan) {
    guard let rawSpace = table.load(offset, as: UInt8.self), let space = Space(rawValue: rawSpace),
      let bitWidth = table.load(offset + 1, as: UInt8.self), let address = table.load(offset + 4, as: UInt64.self),
      address != 0, space != .port || address <= 0xffff
    else { return nil }
    self.space = space
    self.bitWidth = bitWidth
    self.address = address
  }

  /// The port, if the register is one.
  package var port: UInt16? { space == .port ? UInt16(truncatingIfNeeded: address) : nil }
}
