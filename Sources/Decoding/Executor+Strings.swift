// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension Instruction {
  /// One element of a string operation; the registers then describe the rest, as after an interrupt on the processor.
  func executeString<Bus: DeviceBus & ~Copyable, Memory: LinearMemory & ~Copyable>(
    on access: DeviceAccess, registers: inout InlineArray<16, UInt64>, flags: inout ArithmeticFlags,
    context: SegmentContext, bus: inout Bus, memory other: inout Memory
  ) throws(PageWalkError) -> ExecutionProgress {
    let addressSize = memory.addressSize
    let count = Register(1, addressSize)
    if isRepeated, RegisterFile.value(of: count, in: registers) == 0 { return .finished }
    let accumulator = Register(0, width)
    switch operation {
    case .storeString:
      let value = RegisterFile.value(of: accumulator, in: registers)
      bus.write(address: access.address, width: width.rawValue, value: value)
    case .loadString:
      let value = bus.read(address: access.address, width: width.rawValue)
      RegisterFile.write(value, to: accumulator, in: &registers)
    case .scanString:
      let value = width.truncate(bus.read(address: access.address, width: width.rawValue))
      _ = Arithmetic.compare.apply(RegisterFile.value(of: accumulator, in: registers), value, width, flags: &flags)
    case .compareStrings:
      let left = try load(source(registers, context), &bus, &other)
      let right = try load(target(registers, context), &bus, &other)
      _ = Arithmetic.compare.apply(left, right, width, flags: &flags)
    default:
      try moveElement(on: access, registers, context, &bus, &other)
    }
    let step = flags.contains(.direction) ? 0 &- UInt64(width.rawValue) : UInt64(width.rawValue)
    if movesSource { Self.advance(Register(6, addressSize), by: step, in: &registers) }
    if movesTarget { Self.advance(Register(7, addressSize), by: step, in: &registers) }
    guard isRepeated else { return .finished }
    Self.advance(count, by: 0 &- 1, in: &registers)
    let isDone = RegisterFile.value(of: count, in: registers) == 0 || isFound(flags)
    return isDone ? .finished : .again(access.address &+ step)
  }

  private var movesSource: Bool {
    switch operation {
    case .storeString, .scanString: false
    default: true
    }
  }

  private var movesTarget: Bool { operation != .loadString }

  /// Whether a comparison ends the repetition.
  private func isFound(_ flags: ArithmeticFlags) -> Bool {
    switch operation {
    case .compareStrings(let whileEqual), .scanString(let whileEqual): flags.contains(.zero) != whileEqual
    default: false
    }
  }

  /// MOVS between the device and whatever is on the other side: a write that left the guest says that the target is
  /// the device, a read that the source is.
  private func moveElement<Bus: DeviceBus & ~Copyable, Memory: LinearMemory & ~Copyable>(
    on access: DeviceAccess, _ registers: InlineArray<16, UInt64>, _ context: SegmentContext, _ bus: inout Bus,
    _ other: inout Memory
  ) throws(PageWalkError) {
    if access.isWrite {
      let value = try load(source(registers, context), &bus, &other)
      bus.write(address: access.address, width: width.rawValue, value: value)
    } else {
      // Where it goes is found before the device is read, which may change it.
      let target = target(registers, context)
      let device = try other.device(at: target, isWrite: true)
      let value = width.truncate(bus.read(address: access.address, width: width.rawValue))
      if let device {
        bus.write(address: device, width: width.rawValue, value: value)
      } else {
        try other.write(linear: target, width: width, value: value)
      }
    }
  }

  private func source(_ registers: InlineArray<16, UInt64>, _ context: SegmentContext) -> UInt64 {
    memory.linearAddress(registers: registers, nextRIP: 0, bases: context.bases, code: context.code)
  }

  private func target(_ registers: InlineArray<16, UInt64>, _ context: SegmentContext) -> UInt64 {
    let offset = RegisterFile.value(of: Register(7, memory.addressSize), in: registers)
    return linear(.es, offset, bases: context.bases, code: context.code)
  }

  static func advance(_ register: Register, by step: UInt64, in registers: inout InlineArray<16, UInt64>) {
    RegisterFile.write(RegisterFile.value(of: register, in: registers) &+ step, to: register, in: &registers)
  }

  // MARK: - Operands that are a device's or memory

  /// What is at a linear address.
  func load<Bus: DeviceBus & ~Copyable, Memory: LinearMemory & ~Copyable>(
    _ linear: UInt64, _ bus: inout Bus, _ memory: inout Memory
  ) throws(PageWalkError) -> UInt64 {
    if let device = try memory.device(at: linear, isWrite: false) {
      return width.truncate(bus.read(address: device, width: width.rawValue))
    }
    return width.truncate(try memory.read(linear: linear, width: width))
  }

  /// Writes to a linear address.
  func store<Bus: DeviceBus & ~Copyable, Memory: LinearMemory & ~Copyable>(
    _ value: UInt64, _ linear: UInt64, _ bus: inout Bus, _ memory: inout Memory
  ) throws(PageWalkError) {
    if let device = try memory.device(at: linear, isWrite: true) {
      bus.write(address: device, width: width.rawValue, value: width.truncate(value))
    } else {
      try memory.write(linear: linear, width: width, value: width.truncate(value))
    }
  }
}
