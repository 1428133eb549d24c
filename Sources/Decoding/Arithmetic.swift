// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The processor's flags that instructions on memory read or change (RFLAGS).
package struct ArithmeticFlags: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package static var carry: Self { .bit(0) }
  package static var parity: Self { .bit(2) }
  package static var adjust: Self { .bit(4) }
  package static var zero: Self { .bit(6) }
  package static var sign: Self { .bit(7) }
  /// String operations go down, not up.
  package static var direction: Self { .bit(10) }
  package static var overflow: Self { .bit(11) }
}

/// An operation on one or two numbers that sets flags.
package enum Arithmetic: Sendable {
  case add
  case or
  case addWithCarry
  case subtractWithBorrow
  case and
  case subtract
  case exclusiveOr
  case compare
  case test
  case increment
  case decrement
  case not
  case negate

  /// Whether the result replaces the first operand.
  package var writesResult: Bool { self != .compare && self != .test }

  /// Computes `left` with `right`, which one-operand operations ignore.
  package func apply(_ left: UInt64, _ right: UInt64, _ width: Width, flags: inout ArithmeticFlags) -> UInt64 {
    let carry: UInt64 = flags.contains(.carry) ? 1 : 0
    switch self {
    case .add: return Self.sum(left, right, 0, width, &flags)
    case .addWithCarry: return Self.sum(left, right, carry, width, &flags)
    case .subtract, .compare: return Self.difference(left, right, 0, width, &flags)
    case .subtractWithBorrow: return Self.difference(left, right, carry, width, &flags)
    case .negate: return Self.difference(0, left, 0, width, &flags)
    case .or: return Self.logical(left | right, width, &flags)
    case .and, .test: return Self.logical(left & right, width, &flags)
    case .exclusiveOr: return Self.logical(left ^ right, width, &flags)
    case .not: return width.truncate(~left)
    case .increment, .decrement:
      // INC and DEC leave the carry flag as it was.
      let result = self == .increment ? Self.sum(left, 1, 0, width, &flags) : Self.difference(left, 1, 0, width, &flags)
      flags.set(.carry, to: carry != 0)
      return result
    }
  }

  private static func sum(
    _ left: UInt64, _ right: UInt64, _ carry: UInt64, _ width: Width, _ flags: inout ArithmeticFlags
  ) -> UInt64 {
    let result = width.truncate(left &+ right &+ carry)
    let carries = (left & right) | ((left | right) & ~result)
    flags.set(.carry, to: carries & width.signBit != 0)
    flags.set(.adjust, to: carries & 8 != 0)
    flags.set(.overflow, to: (left ^ result) & (right ^ result) & width.signBit != 0)
    describe(result, width, &flags)
    return result
  }

  private static func difference(
    _ left: UInt64, _ right: UInt64, _ borrow: UInt64, _ width: Width, _ flags: inout ArithmeticFlags
  ) -> UInt64 {
    let result = width.truncate(left &- right &- borrow)
    let borrows = (~left & right) | ((~left | right) & result)
    flags.set(.carry, to: borrows & width.signBit != 0)
    flags.set(.adjust, to: borrows & 8 != 0)
    flags.set(.overflow, to: (left ^ right) & (left ^ result) & width.signBit != 0)
    describe(result, width, &flags)
    return result
  }

  private static func logical(_ value: UInt64, _ width: Width, _ flags: inout ArithmeticFlags) -> UInt64 {
    let result = width.truncate(value)
    flags.remove(.carry | .overflow | .adjust)
    describe(result, width, &flags)
    return result
  }

  /// Sign, zero, and parity, which counts the lowest byte alone.
  static func describe(_ result: UInt64, _ width: Width, _ flags: inout ArithmeticFlags) {
    flags.set(.zero, to: result == 0)
    flags.set(.sign, to: result & width.signBit != 0)
    flags.set(.parity, to: (result & 0xff).nonzeroBitCount & 1 == 0)
  }
}
