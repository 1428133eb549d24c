// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension InstructionDecoder {
  /// The operation that three bits of an opcode choose (AMD APM volume 3, table A-6, group 1).
  static func arithmetic(_ bits: UInt8) -> Arithmetic {
    switch bits & 7 {
    case 0: .add
    case 1: .or
    case 2: .addWithCarry
    case 3: .subtractWithBorrow
    case 4: .and
    case 5: .subtract
    case 6: .exclusiveOr
    default: .compare
    }
  }

  /// An immediate has at most 32 bits; a 64-bit operand takes it with its sign.
  static func immediate(_ width: Width, _ cursor: inout ByteCursor) throws(DecodingError) -> UInt64 {
    width.truncate(try cursor.signed(width == .quadword ? .doubleword : width))
  }

  static func toMemory(
    _ operation: Instruction.Operation, _ width: Width, _ operand: Instruction.Operand, _ modRM: ModRM
  ) -> Instruction {
    Instruction(
      operation: operation, width: width, memory: modRM.memory, operand: operand, destination: .memory)
  }

  /// The forms `operation memory, register` and `operation register, memory`.
  static func withRegister(
    _ operation: Instruction.Operation, _ width: Width, toMemory: Bool, _ prefixes: Prefixes,
    _ cursor: inout ByteCursor
  ) throws(DecodingError) -> Instruction {
    let modRM = try ModRM(from: &cursor, prefixes)
    return Instruction(
      operation: operation, width: width, memory: modRM.memory, operand: .register(modRM.register(width)),
      destination: toMemory ? .memory : .register)
  }

  static func extended(
    _ operation: Instruction.Operation, from memory: Width, to register: Width, _ modRM: ModRM
  ) -> Instruction {
    Instruction(
      operation: operation, width: memory, memory: modRM.memory, operand: .register(modRM.register(register)),
      destination: .register)
  }

  /// 80, 81, 83: arithmetic with an immediate.
  static func immediateGroup(
    _ opcode: UInt8, _ width: Width, _ prefixes: Prefixes, _ cursor: inout ByteCursor
  ) throws(DecodingError) -> Instruction {
    let modRM = try ModRM(from: &cursor, prefixes)
    let value = opcode == 0x83 ? width.truncate(try cursor.signed(.byte)) : try immediate(width, &cursor)
    return toMemory(.arithmetic(arithmetic(modRM.opcodeExtension)), width, .immediate(value), modRM)
  }

  /// F6, F7 (TEST, NOT, NEG) and FE, FF (INC, DEC, PUSH).
  static func unaryGroup(
    _ opcode: UInt8, _ width: Width, _ prefixes: Prefixes, _ cursor: inout ByteCursor
  ) throws(DecodingError) -> Instruction {
    let modRM = try ModRM(from: &cursor, prefixes)
    switch (opcode & 0xfe, modRM.opcodeExtension) {
    case (0xf6, 0):
      return toMemory(.arithmetic(.test), width, .immediate(try immediate(width, &cursor)), modRM)
    case (0xf6, 2): return toMemory(.arithmetic(.not), width, .none, modRM)
    case (0xf6, 3): return toMemory(.arithmetic(.negate), width, .none, modRM)
    case (0xfe, 0): return toMemory(.arithmetic(.increment), width, .none, modRM)
    case (0xfe, 1): return toMemory(.arithmetic(.decrement), width, .none, modRM)
    case (0xfe, 6) where opcode == 0xff: return try stackMemory(.push, prefixes, modRM)
    default: throw .unsupported
    }
  }

  /// 0F BA: a bit that an immediate chooses.
  static func bitGroup(
    _ width: Width, _ prefixes: Prefixes, _ cursor: inout ByteCursor
  ) throws(DecodingError) -> Instruction {
    let modRM = try ModRM(from: &cursor, prefixes)
    let operation: Instruction.BitOperation
    switch modRM.opcodeExtension {
    case 4: operation = .test
    case 5: operation = .set
    case 6: operation = .reset
    case 7: operation = .complement
    default: throw .unsupported
    }
    return toMemory(.bit(operation), width, .immediate(try cursor.number(.byte)), modRM)
  }

  /// A0-A3: the accumulator and an address as large as addresses are.
  static func accumulatorMove(
    _ opcode: UInt8, _ width: Width, _ prefixes: Prefixes, _ cursor: inout ByteCursor
  ) throws(DecodingError) -> Instruction {
    var memory = MemoryOperand(segment: prefixes.segment ?? .ds, addressSize: prefixes.addressSize)
    memory.displacement = try cursor.number(prefixes.addressSize)
    return Instruction(
      operation: .move, width: width, memory: memory, operand: .register(Register(0, width)),
      destination: opcode & 2 == 0 ? .register : .memory)
  }

  /// C0, C1, D0-D3: shifts and rotations, by an immediate, by 1 or by CL.
  static func shiftGroup(
    _ opcode: UInt8, _ width: Width, _ prefixes: Prefixes, _ cursor: inout ByteCursor
  ) throws(DecodingError) -> Instruction {
    let modRM = try ModRM(from: &cursor, prefixes)
    let count: Instruction.Operand
    switch opcode & 0xfe {
    case 0xc0: count = .immediate(try cursor.number(.byte))
    case 0xd0: count = .immediate(1)
    default: count = .register(Register(1, .byte))
    }
    return toMemory(.shift(Shift(modRM.opcodeExtension)), width, count, modRM)
  }

  /// 50-5F, 68, 6A, 8F, 9C: PUSH, POP and PUSHF.
  static func stack(
    _ opcode: UInt8, _ prefixes: Prefixes, _ cursor: inout ByteCursor
  ) throws(DecodingError) -> Instruction {
    let width = prefixes.stackOperandSize
    var instruction = Instruction(
      operation: .push, width: width, memory: MemoryOperand(segment: .ss, addressSize: width), operand: .none,
      destination: .register)
    switch opcode {
    case 0x50...0x5f:
      instruction.operation = opcode < 0x58 ? .push : .pop
      instruction.operand = .register(Register(opcode & 7 | prefixes.baseExtension, width))
    case 0x68: instruction.operand = .immediate(try immediate(width, &cursor))
    case 0x6a: instruction.operand = .immediate(width.truncate(try cursor.signed(.byte)))
    case 0x8f:
      let modRM = try ModRM(from: &cursor, prefixes)
      guard modRM.opcodeExtension == 0 else { throw .unsupported }
      return try stackMemory(.pop, prefixes, modRM)
    default: break
    }
    return instruction
  }

  /// PUSH and POP with an operand in memory.
  private static func stackMemory(
    _ operation: Instruction.Operation, _ prefixes: Prefixes, _ modRM: ModRM
  ) throws(DecodingError) -> Instruction {
    // Where that is would depend on RIP.
    guard modRM.memory.base != .nextInstruction else { throw .unsupported }
    return toMemory(operation, prefixes.stackOperandSize, .none, modRM)
  }

  /// MOVS, CMPS, STOS, LODS, SCAS. Only the source's segment can be overridden.
  static func string(_ opcode: UInt8, _ width: Width, _ prefixes: Prefixes) -> Instruction {
    var source = MemoryOperand(segment: prefixes.segment ?? .ds, addressSize: prefixes.addressSize)
    source.base = .register(6)
    var target = MemoryOperand(segment: .es, addressSize: prefixes.addressSize)
    target.base = .register(7)
    let accumulator = Instruction.Operand.register(Register(0, width))
    var instruction: Instruction
    switch opcode & 0xfe {
    case 0xa4:
      instruction = Instruction(
        operation: .moveString, width: width, memory: source, operand: .none, destination: .memory)
    case 0xa6:
      instruction = Instruction(
        operation: .compareStrings(whileEqual: !prefixes.repeatsUntilEqual), width: width, memory: source,
        operand: .none, destination: .register)
    case 0xae:
      instruction = Instruction(
        operation: .scanString(whileEqual: !prefixes.repeatsUntilEqual), width: width, memory: target,
        operand: accumulator, destination: .register)
    case 0xaa:
      instruction = Instruction(
        operation: .storeString, width: width, memory: target, operand: accumulator, destination: .memory)
    default:
      instruction = Instruction(
        operation: .loadString, width: width, memory: source, operand: accumulator, destination: .register)
    }
    instruction.isRepeated = prefixes.isRepeated
    return instruction
  }
}

extension Instruction {
  /// LOCK is for instructions that read memory and write it back (AMD APM volume 3, §1.2.5).
  var canBeLocked: Bool {
    guard destination == .memory else { return false }
    switch operation {
    case .arithmetic(let operation): return operation.writesResult
    case .bit(let operation): return operation != .test
    case .exchange, .compareExchange, .compareExchangePair, .exchangeAdd: return true
    default: return false
    }
  }
}
