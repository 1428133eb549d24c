// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Reads the x86 instructions that guests use on device memory, and where they believe that memory is: moves, strings,
/// exchanges, arithmetic, bit operations, shifts, pushes and pops, in 16-, 32- and 64-bit code.
///
/// Everything else is refused, and `name` says what it is; nothing is guessed.
package enum InstructionDecoder {
  /// Decodes the instruction at the start of `bytes`.
  package static func decode(_ bytes: InstructionBytes, as code: CodeSize) throws(DecodingError) -> Instruction {
    var cursor = ByteCursor(bytes)
    let (prefixes, opcode) = try Prefixes.read(from: &cursor, as: code)
    var instruction =
      opcode == 0x0f
      ? try twoByteOpcode(try cursor.next(), prefixes, from: &cursor)
      : try oneByteOpcode(opcode, prefixes, from: &cursor)
    if prefixes.isLocked {
      guard instruction.canBeLocked else { throw .unsupported }
      instruction.isLocked = true
    }
    instruction.length = cursor.position
    return instruction
  }

  /// AMD APM volume 3, appendix A.1, tables.
  private static func oneByteOpcode(
    _ opcode: UInt8, _ prefixes: Prefixes, from cursor: inout ByteCursor
  ) throws(DecodingError) -> Instruction {
    let width = prefixes.operandSize(of: opcode)
    switch opcode {
    case 0x00...0x3b where opcode & 7 < 4:
      let operation = arithmetic(opcode >> 3)
      return try withRegister(.arithmetic(operation), width, toMemory: opcode & 2 == 0, prefixes, &cursor)
    case 0x63 where prefixes.code == .bits64:
      let modRM = try ModRM(from: &cursor, prefixes)
      return extended(.moveSignExtended, from: .doubleword, to: prefixes.operandSize, modRM)
    case 0x50...0x5f, 0x68, 0x6a, 0x8f, 0x9c:
      return try stack(opcode, prefixes, &cursor)
    case 0x80, 0x81, 0x83:
      return try immediateGroup(opcode, width, prefixes, &cursor)
    case 0x84, 0x85:
      return try withRegister(.arithmetic(.test), width, toMemory: true, prefixes, &cursor)
    case 0x86, 0x87:
      return try withRegister(.exchange, width, toMemory: true, prefixes, &cursor)
    case 0x88...0x8b:
      return try withRegister(.move, width, toMemory: opcode & 2 == 0, prefixes, &cursor)
    case 0xa0...0xa3:
      return try accumulatorMove(opcode, width, prefixes, &cursor)
    case 0xa4...0xa7, 0xaa...0xaf:
      return string(opcode, width, prefixes)
    case 0xc0, 0xc1, 0xd0...0xd3:
      return try shiftGroup(opcode, width, prefixes, &cursor)
    case 0xc6, 0xc7:
      let modRM = try ModRM(from: &cursor, prefixes)
      guard modRM.opcodeExtension == 0 else { throw .unsupported }
      return toMemory(.move, width, .immediate(try immediate(width, &cursor)), modRM)
    case 0xf6, 0xf7, 0xfe, 0xff:
      return try unaryGroup(opcode, width, prefixes, &cursor)
    default:
      throw .unsupported
    }
  }

  /// AMD APM volume 3, appendix A.1, tables.
  private static func twoByteOpcode(
    _ opcode: UInt8, _ prefixes: Prefixes, from cursor: inout ByteCursor
  ) throws(DecodingError) -> Instruction {
    let width = prefixes.operandSize
    switch opcode {
    case 0xa3: return try withRegister(.bit(.test), width, toMemory: true, prefixes, &cursor)
    case 0xab: return try withRegister(.bit(.set), width, toMemory: true, prefixes, &cursor)
    case 0xb3: return try withRegister(.bit(.reset), width, toMemory: true, prefixes, &cursor)
    case 0xbb: return try withRegister(.bit(.complement), width, toMemory: true, prefixes, &cursor)
    case 0xb0, 0xb1:
      let width = prefixes.operandSize(of: opcode)
      return try withRegister(.compareExchange, width, toMemory: true, prefixes, &cursor)
    case 0xb6, 0xb7, 0xbe, 0xbf:
      let modRM = try ModRM(from: &cursor, prefixes)
      let operation: Instruction.Operation = opcode < 0xb8 ? .moveZeroExtended : .moveSignExtended
      return extended(operation, from: opcode & 1 == 0 ? .byte : .word, to: width, modRM)
    case 0xba:
      return try bitGroup(width, prefixes, &cursor)
    case 0x40...0x4f:
      return try withRegister(.conditionalMove(Condition(opcode)), width, toMemory: false, prefixes, &cursor)
    case 0x90...0x9f:
      return toMemory(.setCondition(Condition(opcode)), .byte, .none, try ModRM(from: &cursor, prefixes))
    case 0xaf:
      return try withRegister(.multiply, width, toMemory: false, prefixes, &cursor)
    case 0xc0, 0xc1:
      let width = prefixes.operandSize(of: opcode)
      return try withRegister(.exchangeAdd, width, toMemory: true, prefixes, &cursor)
    case 0xc7:
      let modRM = try ModRM(from: &cursor, prefixes)
      guard modRM.opcodeExtension == 1, !prefixes.isWide else { throw .unsupported }
      return toMemory(.compareExchangePair, .quadword, .none, modRM)
    case 0x38:
      let opcode = try cursor.next()
      // With F2, these opcodes are CRC32.
      guard opcode & 0xfe == 0xf0, !prefixes.isRepeated else { throw .unsupported }
      return try withRegister(.moveReversed, width, toMemory: opcode & 1 != 0, prefixes, &cursor)
    case 0xc3:
      // With a prefix, this opcode is another instruction or none.
      guard !prefixes.changesOperandSize, !prefixes.isRepeated else { throw .unsupported }
      return try withRegister(.move, width, toMemory: true, prefixes, &cursor)
    default:
      throw .unsupported
    }
  }
}
