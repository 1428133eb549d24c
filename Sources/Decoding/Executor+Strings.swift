// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension Instruction {
  /// One element of MOVS, STOS or LODS; the registers then describe the rest, as after an interrupt on the processor.
  func executeString<Bus: DeviceBus & ~Copyable, Memory: LinearMemory & ~Copyable>(
    on access: DeviceAccess, registers: inout InlineArray<16, UInt64>, flags: ArithmeticFlags, context: StringContext,
    bus: inout Bus, memory other: inout Memory
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
    default:
      try moveElement(on: access, registers, context, &bus, &other)
    }
    let step = flags.contains(.direction) ? 0 &- UInt64(width.rawValue) : UInt64(width.rawValue)
    if operation != .storeString { Self.advance(Register(6, addressSize), by: step, in: &registers) }
    if operation != .loadString { Self.advance(Register(7, addressSize), by: step, in: &registers) }
    guard isRepeated else { return .finished }
    Self.advance(count, by: 0 &- 1, in: &registers)
    let isDone = RegisterFile.value(of: count, in: registers) == 0
    return isDone ? .finished : .again(access.address &+ step)
  }

  /// MOVS between the device and whatever is on the other side: a write that left the guest says that the target is
  /// the device, a read that the source is.
  private func moveElement<Bus: DeviceBus & ~Copyable, Memory: LinearMemory & ~Copyable>(
    on access: DeviceAccess, _ registers: InlineArray<16, UInt64>, _ context: StringContext, _ bus: inout Bus,
    _ other: inout Memory
  ) throws(PageWalkError) {
    if access.isWrite {
      let source = memory.linearAddress(registers: registers, nextRIP: 0, bases: context.bases, code: context.code)
      let value = try other.read(linear: source, width: width)
      bus.write(address: access.address, width: width.rawValue, value: width.truncate(value))
    } else {
      let offset = RegisterFile.value(of: Register(7, memory.addressSize), in: registers)
      let target = linear(.es, offset, bases: context.bases, code: context.code)
      let value = bus.read(address: access.address, width: width.rawValue)
      try other.write(linear: target, width: width, value: width.truncate(value))
    }
  }

  private static func advance(_ register: Register, by step: UInt64, in registers: inout InlineArray<16, UInt64>) {
    RegisterFile.write(RegisterFile.value(of: register, in: registers) &+ step, to: register, in: &registers)
  }
}
