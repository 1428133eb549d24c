// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The access that left the guest: what nested paging said of it.
package struct DeviceAccess: Equatable, Sendable {
  /// Guest-physical.
  package var address: UInt64
  package var isWrite: Bool

  package init(address: UInt64, isWrite: Bool) {
    self.address = address
    self.isWrite = isWrite
  }
}

/// How far an instruction came.
package enum ExecutionProgress: Equatable, Sendable {
  /// It is done: RIP goes past it.
  case finished
  /// One element of a repeated string operation is done: RIP stays, the registers say how to go on. A VMM may go on
  /// at once with the next element, at this device address, as long as that is in the same page.
  case again(UInt64)
}

/// What instructions with two operands in memory have to know of the guest besides its registers.
package struct SegmentContext: Equatable, Sendable {
  package var bases: SegmentBases
  package var code: CodeSize
  /// How much of RSP is the stack pointer: SS.B tells, or 64-bit code.
  package var stack: Width

  package init(bases: SegmentBases, code: CodeSize, stack: Width) {
    self.bases = bases
    self.code = code
    self.stack = stack
  }
}

extension Instruction {
  /// Carries the instruction out: `access` on the bus, the rest in `registers` and `flags` (RFLAGS).
  ///
  /// - Throws: what the page tables say of another operand in memory. Registers and flags are then as they were, and
  ///   the guest can be given the page fault.
  package func execute<Bus: DeviceBus & ~Copyable, Memory: LinearMemory & ~Copyable>(
    on access: DeviceAccess, registers: inout InlineArray<16, UInt64>, flags: inout UInt64, context: SegmentContext,
    bus: inout Bus, memory: inout Memory
  ) throws(PageWalkError) -> ExecutionProgress {
    switch operation {
    case .moveString, .storeString, .loadString, .compareStrings, .scanString:
      var words = ArithmeticFlags(rawValue: flags)
      let progress = try executeString(
        on: access, registers: &registers, flags: &words, context: context, bus: &bus, memory: &memory)
      flags = words.rawValue
      return progress
    case .compareExchangePair, .exchangeAdd, .multiply, .shift, .conditionalMove, .setCondition, .moveReversed:
      var words = ArithmeticFlags(rawValue: flags)
      executeRare(at: access.address, registers: &registers, flags: &words, bus: &bus)
      flags = words.rawValue
      return .finished
    case .push, .pop:
      try executeStack(registers: &registers, flags: flags, context: context, bus: &bus, memory: &memory)
      return .finished
    default:
      var words = ArithmeticFlags(rawValue: flags)
      executeOnce(at: access.address, registers: &registers, flags: &words, bus: &bus)
      flags = words.rawValue
      return .finished
    }
  }

  private func executeOnce<Bus: DeviceBus & ~Copyable>(
    at address: UInt64, registers: inout InlineArray<16, UInt64>, flags: inout ArithmeticFlags, bus: inout Bus
  ) {
    let other = operandValue(registers)
    if operation == .move, destination == .memory {
      bus.write(address: address, width: width.rawValue, value: width.truncate(other))
      return
    }
    let old = width.truncate(bus.read(address: address, width: width.rawValue))
    switch operation {
    case .move, .moveZeroExtended: setRegister(old, &registers)
    case .moveSignExtended: setRegister(width.signExtend(old), &registers)
    case .exchange:
      bus.write(address: address, width: width.rawValue, value: other)
      setRegister(old, &registers)
    case .arithmetic(let operation):
      let isToMemory = destination == .memory
      let result = operation.apply(isToMemory ? old : other, isToMemory ? other : old, width, flags: &flags)
      guard operation.writesResult else { return }
      if isToMemory {
        bus.write(address: address, width: width.rawValue, value: result)
      } else {
        setRegister(result, &registers)
      }
    case .bit(let operation):
      // A register's bit number can reach beyond the operand; `address` already says which word it is in.
      let bit: UInt64 = 1 << (other & UInt64(width.rawValue * 8 - 1))
      flags.set(.carry, to: old & bit != 0)
      guard let result = operation.apply(to: old, bit) else { return }
      bus.write(address: address, width: width.rawValue, value: result)
    case .compareExchange:
      let accumulator = Register(0, width)
      _ = Arithmetic.compare.apply(RegisterFile.value(of: accumulator, in: registers), old, width, flags: &flags)
      let isEqual = flags.contains(.zero)
      // The processor writes in either case (AMD APM volume 3, CMPXCHG).
      bus.write(address: address, width: width.rawValue, value: isEqual ? other : old)
      if !isEqual { RegisterFile.write(old, to: accumulator, in: &registers) }
    default: return
    }
  }

  func operandValue(_ registers: InlineArray<16, UInt64>) -> UInt64 {
    switch operand {
    case .none: 0
    case .immediate(let value): value
    case .register(let register): RegisterFile.value(of: register, in: registers)
    }
  }

  func setRegister(_ value: UInt64, _ registers: inout InlineArray<16, UInt64>) {
    if case .register(let register) = operand { RegisterFile.write(value, to: register, in: &registers) }
  }
}

extension Instruction.BitOperation {
  /// What becomes of the word; `nil` if it is only looked at.
  fileprivate func apply(to word: UInt64, _ bit: UInt64) -> UInt64? {
    switch self {
    case .test: nil
    case .set: word | bit
    case .reset: word & ~bit
    case .complement: word ^ bit
    }
  }
}
