// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

@testable import Decoding

extension InstructionBytes {
  init(_ bytes: [UInt8]) {
    self.init()
    for byte in bytes { append(byte) }
  }
}

func decode(_ bytes: [UInt8], _ code: CodeSize = .bits32) throws(DecodingError) -> Instruction {
  try InstructionDecoder.decode(InstructionBytes(bytes), as: code)
}

/// A device that remembers what was done to it.
struct RecordingBus: DeviceBus {
  enum Event: Equatable {
    case read(UInt64, Int)
    case write(UInt64, Int, UInt64)
  }

  var value: UInt64
  var events: [Event] = []

  mutating func read(address: UInt64, width: Int) -> UInt64 {
    events.append(.read(address, width))
    return value
  }

  mutating func write(address: UInt64, width: Int, value: UInt64) { events.append(.write(address, width, value)) }

  /// What was written last.
  var written: UInt64? {
    if case .write(_, _, let value) = events.last { value } else { nil }
  }
}

/// Memory of 64 bytes at linear address 0x1000, and devices from 0xf000_0000 on; the rest is not present.
struct SmallMemory: LinearMemory {
  var bytes = [UInt8](repeating: 0, count: 64)

  mutating func device(at linear: UInt64, isWrite: Bool) throws(PageWalkError) -> UInt64? {
    if linear >= 0xf000_0000 { return linear }
    _ = try offset(linear, .byte)
    return nil
  }

  mutating func read(linear: UInt64, width: Width) throws(PageWalkError) -> UInt64 {
    var value: UInt64 = 0
    let start = try offset(linear, width)
    for index in 0..<width.rawValue { value |= UInt64(bytes[start + index]) << UInt64(index * 8) }
    return value
  }

  mutating func write(linear: UInt64, width: Width, value: UInt64) throws(PageWalkError) {
    let start = try offset(linear, width)
    for index in 0..<width.rawValue { bytes[start + index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8)) }
  }

  private func offset(_ linear: UInt64, _ width: Width) throws(PageWalkError) -> Int {
    guard linear >= 0x1000, linear &+ UInt64(width.rawValue) <= 0x1040 else { throw .notPresent(level: 1) }
    return Int(linear - 0x1000)
  }
}

/// A processor with one instruction to carry out on one device register.
struct Bench {
  var registers = InlineArray<16, UInt64>(repeating: 0)
  var flags: UInt64 = 2
  var bus = RecordingBus(value: 0)
  var memory = SmallMemory()
  var bases = SegmentBases()
  /// How wide the stack pointer is, if it is not as wide as code is.
  var stack: Width?

  private static func stack(_ code: CodeSize) -> Width {
    switch code {
    case .bits16: .word
    case .bits32: .doubleword
    case .bits64: .quadword
    }
  }

  init(device value: UInt64 = 0) { bus.value = value }

  @discardableResult
  mutating func run(
    _ bytes: [UInt8], _ code: CodeSize = .bits64, at address: UInt64 = 0xfee0_0000, isWrite: Bool = true
  ) throws -> ExecutionProgress {
    let instruction = try decode(bytes, code)
    return try instruction.execute(
      on: DeviceAccess(address: address, isWrite: isWrite), registers: &registers, flags: &flags,
      context: SegmentContext(bases: bases, code: code, stack: stack ?? Self.stack(code)), bus: &bus, memory: &memory)
  }

  func has(_ flag: ArithmeticFlags) -> Bool { ArithmeticFlags(rawValue: flags).contains(flag) }
}

/// Guest memory of `size` bytes for as long as `body` runs.
func withGuestMemory(_ size: Int, _ body: (GuestMemory) throws -> Void) throws {
  let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
  buffer.initializeMemory(as: UInt8.self, repeating: 0, count: size)
  defer { buffer.deallocate() }
  try body(GuestMemory(unsafeLow: buffer, lowSize: UInt64(size)))
}
