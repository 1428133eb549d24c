// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension Instruction {
  /// PUSH, PUSHF and POP. The stack may be where nothing is, or the operand, or both.
  func executeStack<Bus: DeviceBus & ~Copyable, Memory: LinearMemory & ~Copyable>(
    registers: inout InlineArray<16, UInt64>, flags: UInt64, context: SegmentContext, bus: inout Bus,
    memory other: inout Memory
  ) throws(PageWalkError) {
    let pointer = Register(4, context.stack)
    let top = RegisterFile.value(of: pointer, in: registers)
    let size = UInt64(width.rawValue)
    if operation == .push {
      let value = try pushed(registers, flags, context, &bus, &other)
      let place = context.stack.truncate(top &- size)
      try store(value, linear(.ss, place, bases: context.bases, code: context.code), &bus, &other)
      RegisterFile.write(place, to: pointer, in: &registers)
      return
    }
    let value = try load(linear(.ss, top, bases: context.bases, code: context.code), &bus, &other)
    var after = registers
    RegisterFile.write(context.stack.truncate(top &+ size), to: pointer, in: &after)
    if destination == .memory {
      // An operand that RSP names is found with what RSP is then (AMD APM volume 3, POP).
      let target = memory.linearAddress(registers: after, nextRIP: 0, bases: context.bases, code: context.code)
      try store(value, target, &bus, &other)
    } else {
      setRegister(value, &after)
    }
    registers = after
  }

  private func pushed<Bus: DeviceBus & ~Copyable, Memory: LinearMemory & ~Copyable>(
    _ registers: InlineArray<16, UInt64>, _ flags: UInt64, _ context: SegmentContext, _ bus: inout Bus,
    _ other: inout Memory
  ) throws(PageWalkError) -> UInt64 {
    if destination == .memory {
      return try load(
        memory.linearAddress(registers: registers, nextRIP: 0, bases: context.bases, code: context.code), &bus, &other)
    }
    // PUSHF stores neither RF nor VM, bits 16 and 17 (AMD APM volume 3, PUSHF).
    if operand == .none { return flags & ~0x3_0000 }
    return operandValue(registers)
  }
}
