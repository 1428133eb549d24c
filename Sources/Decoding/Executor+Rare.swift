// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension Instruction {
  /// What drivers seldom do with a register, and programs may anywhere.
  @inline(never)
  func executeRare<Bus: DeviceBus & ~Copyable>(
    at address: UInt64, registers: inout InlineArray<16, UInt64>, flags: inout ArithmeticFlags, bus: inout Bus
  ) {
    let other = operandValue(registers)
    if let stored = storedAlone(other, flags) {
      bus.write(address: address, width: width.rawValue, value: stored)
      return
    }
    let old = width.truncate(bus.read(address: address, width: width.rawValue))
    switch operation {
    case .moveReversed: setRegister(width.reversed(old), &registers)
    case .conditionalMove(let condition):
      // A register of 32 bits loses its upper half in either case (AMD APM volume 3, CMOVcc).
      setRegister(condition.holds(flags) ? old : other, &registers)
    case .multiply:
      let (product, isCut) = Self.product(width.signExtend(old), width.signExtend(other), width)
      flags.set(.carry, to: isCut)
      flags.set(.overflow, to: isCut)
      setRegister(product, &registers)
    case .shift(let shift):
      let result = shift.apply(old, by: other, width, flags: &flags)
      bus.write(address: address, width: width.rawValue, value: result)
    case .exchangeAdd:
      let sum = Arithmetic.add.apply(old, other, width, flags: &flags)
      bus.write(address: address, width: width.rawValue, value: sum)
      setRegister(old, &registers)
    case .compareExchangePair:
      let expected = Self.pair(high: 2, low: 0, registers)
      let isEqual = expected == old
      flags.set(.zero, to: isEqual)
      // The processor writes in either case (AMD APM volume 3, CMPXCHG8B).
      bus.write(address: address, width: 8, value: isEqual ? Self.pair(high: 1, low: 3, registers) : old)
      guard !isEqual else { return }
      RegisterFile.write(old, to: Register(0, .doubleword), in: &registers)
      RegisterFile.write(old >> 32, to: Register(2, .doubleword), in: &registers)
    default: return
    }
  }

  /// What is written by an instruction that does not read memory; `nil` if it does.
  private func storedAlone(_ other: UInt64, _ flags: ArithmeticFlags) -> UInt64? {
    switch operation {
    case .moveReversed where destination == .memory: width.reversed(other)
    case .setCondition(let condition): condition.holds(flags) ? 1 : 0
    default: nil
    }
  }

  /// The product of two numbers, and whether it does not fit into `width`.
  private static func product(_ left: UInt64, _ right: UInt64, _ width: Width) -> (UInt64, Bool) {
    let (high, low) = Int64(bitPattern: left).multipliedFullWidth(by: Int64(bitPattern: right))
    let product = width.truncate(low)
    let isWhole = high == Int64(bitPattern: low) >> 63
    return (product, !isWhole || width.signExtend(product) != low)
  }

  /// 64 bits in two registers.
  private static func pair(high: UInt8, low: UInt8, _ registers: InlineArray<16, UInt64>) -> UInt64 {
    RegisterFile.value(of: Register(high, .doubleword), in: registers) << 32
      | RegisterFile.value(of: Register(low, .doubleword), in: registers)
  }
}
