// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What CMOVcc and SETcc look for: the low four bits of their opcodes (AMD APM volume 3, table A-4 and appendix E).
package struct Condition: Equatable, Sendable {
  private let bits: UInt8

  /// The condition of an opcode, whose other bits do not count.
  package init(_ opcode: UInt8) { bits = opcode & 15 }

  /// Whether `flags` meet it.
  package func holds(_ flags: ArithmeticFlags) -> Bool {
    let differs = flags.contains(.sign) != flags.contains(.overflow)
    let isMet =
      switch bits >> 1 {
      case 0: flags.contains(.overflow)
      case 1: flags.contains(.carry)
      case 2: flags.contains(.zero)
      case 3: flags.contains(.carry) || flags.contains(.zero)
      case 4: flags.contains(.sign)
      case 5: flags.contains(.parity)
      case 6: differs
      default: differs || flags.contains(.zero)
      }
    return isMet != (bits & 1 != 0)
  }
}
