// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Shifts and rotations (AMD APM volume 3, table A-6, group 2).
package enum Shift: Sendable {
  case rotateLeft
  case rotateRight
  case rotateLeftThroughCarry
  case rotateRightThroughCarry
  case left
  case right
  case arithmeticRight

  /// The operation that three bits of ModRM choose; 6 is another name of 4.
  init(_ bits: UInt8) {
    switch bits & 7 {
    case 0: self = .rotateLeft
    case 1: self = .rotateRight
    case 2: self = .rotateLeftThroughCarry
    case 3: self = .rotateRightThroughCarry
    case 5: self = .right
    case 7: self = .arithmeticRight
    default: self = .left
    }
  }

  /// Moves the bits of `value` by `count`, of which five bits count, or six of 64-bit operands. By nothing, no flag
  /// changes. The overflow flag has a meaning for 1 alone; here it is the last step's.
  package func apply(_ value: UInt64, by count: UInt64, _ width: Width, flags: inout ArithmeticFlags) -> UInt64 {
    let steps = count & (width == .quadword ? 63 : 31)
    guard steps != 0 else { return width.truncate(value) }
    var result = width.truncate(value)
    for _ in 0..<steps { result = step(result, width, &flags) }
    switch self {
    case .left, .right, .arithmeticRight: Arithmetic.describe(result, width, &flags)
    default: break
    }
    return result
  }

  /// By one bit.
  private func step(_ value: UInt64, _ width: Width, _ flags: inout ArithmeticFlags) -> UInt64 {
    let top: UInt64 = value & width.signBit != 0 ? 1 : 0
    let bottom = value & 1
    let carry: UInt64 = flags.contains(.carry) ? 1 : 0
    let highest = UInt64(width.rawValue * 8 - 1)
    let isLeft = self == .left || self == .rotateLeft || self == .rotateLeftThroughCarry
    let incoming: UInt64 =
      switch self {
      case .left, .right: 0
      case .arithmeticRight, .rotateLeft: top
      case .rotateRight: bottom
      case .rotateLeftThroughCarry, .rotateRightThroughCarry: carry
      }
    let result = isLeft ? width.truncate(value << 1) | incoming : value >> 1 | incoming << highest
    let outgoing = isLeft ? top : bottom
    flags.set(.carry, to: outgoing != 0)
    let sign = result >> highest
    flags.set(.overflow, to: isLeft ? sign != outgoing : sign != top)
    return result
  }
}
