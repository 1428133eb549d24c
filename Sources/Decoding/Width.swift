// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How many bytes an operand has.
package enum Width: Int, Sendable {
  case byte = 1
  case word = 2
  case doubleword = 4
  case quadword = 8

  /// All bits of a number of this width.
  package var mask: UInt64 { self == .quadword ? .max : (1 << UInt64(rawValue * 8)) - 1 }

  /// The most significant bit of a number of this width.
  package var signBit: UInt64 { 1 << UInt64(rawValue * 8 - 1) }

  /// `value` cut to this width.
  package func truncate(_ value: UInt64) -> UInt64 { value & mask }

  /// The bytes of `value` in the other order.
  package func reversed(_ value: UInt64) -> UInt64 { truncate(value).byteSwapped >> UInt64(64 - rawValue * 8) }

  /// `value`, read as a signed number of this width, with all 64 bits.
  package func signExtend(_ value: UInt64) -> UInt64 { ((value & mask) ^ signBit) &- signBit }
}
