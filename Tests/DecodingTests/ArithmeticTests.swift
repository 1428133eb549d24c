// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Decoding

@Suite struct ArithmeticTests {
  /// Flags of `operation` on all pairs of bytes against sums in wider numbers.
  @Test(arguments: [Arithmetic.add, .addWithCarry, .subtract, .subtractWithBorrow, .compare])
  func `sums and differences of all bytes have the right flags`(operation: Arithmetic) {
    let isSum = operation == .add || operation == .addWithCarry
    let usesCarry = operation == .addWithCarry || operation == .subtractWithBorrow
    var mistakes = 0
    for left in 0..<256 {
      for right in 0..<256 {
        for carry in 0...1 {
          var flags = ArithmeticFlags(rawValue: UInt64(carry))
          let result = operation.apply(UInt64(left), UInt64(right), .byte, flags: &flags)
          let extra = usesCarry ? carry : 0
          let exact = isSum ? left + right + extra : left - right - extra
          let signedLeft = Int(Int8(truncatingIfNeeded: left))
          let signedRight = Int(Int8(truncatingIfNeeded: right))
          let signed = isSum ? signedLeft + signedRight + extra : signedLeft - signedRight - extra
          let nibble = isSum ? left % 16 + right % 16 + extra > 15 : left % 16 - right % 16 - extra < 0
          let byte = exact & 0xff
          let isRight =
            result == UInt64(byte) && flags.contains(.carry) == (exact < 0 || exact > 255)
            && flags.contains(.overflow) == (signed < -128 || signed > 127) && flags.contains(.adjust) == nibble
            && flags.contains(.zero) == (byte == 0) && flags.contains(.sign) == (byte > 127)
            && flags.contains(.parity) == (byte.nonzeroBitCount % 2 == 0)
          if !isRight { mistakes += 1 }
        }
      }
    }
    #expect(mistakes == 0)
  }

  @Test func `logic clears carry and overflow`() {
    var flags = ArithmeticFlags(rawValue: .max)
    #expect(Arithmetic.and.apply(0xf0, 0x0f, .byte, flags: &flags) == 0)
    #expect(!flags.contains(.carry) && !flags.contains(.overflow) && flags.contains(.zero))
    #expect(Arithmetic.or.apply(0x8000, 1, .word, flags: &flags) == 0x8001)
    #expect(flags.contains(.sign) && !flags.contains(.zero))
    #expect(Arithmetic.exclusiveOr.apply(5, 5, .quadword, flags: &flags) == 0)
  }

  @Test func `INC and DEC keep the carry flag, NOT keeps all, NEG sets it unless zero`() {
    var flags = ArithmeticFlags.carry
    #expect(Arithmetic.increment.apply(0x7fff_ffff, 0, .doubleword, flags: &flags) == 0x8000_0000)
    #expect(flags.contains(.carry) && flags.contains(.overflow))
    flags = .none
    #expect(Arithmetic.decrement.apply(0, 0, .byte, flags: &flags) == 0xff)
    #expect(!flags.contains(.carry))
    let before = flags
    #expect(Arithmetic.not.apply(0, 0, .quadword, flags: &flags) == .max)
    #expect(flags == before)
    #expect(Arithmetic.negate.apply(1, 0, .word, flags: &flags) == 0xffff)
    #expect(flags.contains(.carry))
    #expect(Arithmetic.negate.apply(0, 0, .word, flags: &flags) == 0)
    #expect(!flags.contains(.carry))
  }

  @Test func `64-bit sums carry out of the top`() {
    var flags = ArithmeticFlags.carry
    #expect(Arithmetic.addWithCarry.apply(.max, .max, .quadword, flags: &flags) == .max)
    #expect(flags.contains(.carry) && !flags.contains(.overflow))
    #expect(Arithmetic.subtractWithBorrow.apply(0, .max, .quadword, flags: &flags) == 0)
    #expect(flags.contains(.carry))
  }
}
