// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// An instruction with an operand in memory, as far as devices meet one.
package struct Instruction: Equatable, Sendable {
  /// What it does.
  package var operation: Operation
  /// Bytes of memory it touches at once.
  package var width: Width
  /// The operand in memory; for `moveString` the source, its destination is always ES:rDI.
  package var memory: MemoryOperand
  /// The other operand.
  package var operand: Operand
  /// Which of the two takes the result.
  package var destination: Destination
  /// Whether the count register repeats it; only for string operations.
  package var isRepeated = false
  /// Whether it has a LOCK prefix.
  package var isLocked = false
  /// Bytes from its first prefix to its end.
  package var length = 0

  /// The operand that is not in memory.
  package enum Operand: Equatable, Sendable {
    case none
    case register(Register)
    case immediate(UInt64)
  }

  /// Where a result goes.
  package enum Destination: Equatable, Sendable {
    case memory
    case register
  }

  package enum Operation: Equatable, Sendable {
    case move
    /// MOVZX: the register takes the value with zeros above it.
    case moveZeroExtended
    /// MOVSX, MOVSXD: the register takes the value with its sign above it.
    case moveSignExtended
    case exchange
    case arithmetic(Arithmetic)
    case bit(BitOperation)
    case compareExchange
    /// CMPXCHG8B
    case compareExchangePair
    /// XADD
    case exchangeAdd
    /// IMUL with two operands.
    case multiply
    case shift(Shift)
    /// CMOVcc: reads memory in either case.
    case conditionalMove(Condition)
    /// SETcc
    case setCondition(Condition)
    /// MOVBE
    case moveReversed
    /// PUSH of the operand, or of what is in memory; PUSHF without either.
    case push
    /// POP to the operand, or to memory.
    case pop
    /// MOVS
    case moveString
    /// STOS
    case storeString
    /// LODS
    case loadString
    /// CMPS, which REPE or REPNE repeats while the elements are equal, or differ.
    case compareStrings(whileEqual: Bool)
    /// SCAS, likewise.
    case scanString(whileEqual: Bool)
  }

  /// BT and its kind: copy a bit to the carry flag, then change it.
  package enum BitOperation: Sendable {
    case test
    case set
    case reset
    case complement
  }
}

/// A general register, or a part of one.
package struct Register: Equatable, Sendable {
  /// 0-15, in the order of instructions: A, C, D, B, SP, BP, SI, DI, R8-R15.
  package var number: UInt8
  package var width: Width
  /// Whether it is bits 8-15 of the register: AH, CH, DH or BH.
  package var isHighByte: Bool

  package init(_ number: UInt8, _ width: Width, isHighByte: Bool = false) {
    self.number = number & 15
    self.width = width
    self.isHighByte = isHighByte
  }
}

/// Why bytes are no instruction that can be emulated.
package enum DecodingError: Error, Equatable {
  /// The bytes end inside the instruction.
  case truncated
  /// More than 15 bytes, which the processor refuses too.
  case tooLong
  /// Not an instruction of the kinds that devices meet.
  case unsupported
}
