// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Decoding

/// What drivers do not do with a device, and a program does that looks at memory where there is none.
@Suite struct RareInstructionTests {
  // MARK: - Strings

  @Test func `REPE CMPS goes on while both sides are equal, whichever of them is a device`() throws {
    for deviceIsSource in [true, false] {
      var bench = Bench(device: 0xff)
      bench.memory.bytes[0] = 0xff
      bench.memory.bytes[1] = 0x12
      bench.registers[1] = 5
      bench.registers[6] = deviceIsSource ? 0xf000_0000 : 0x1000
      bench.registers[7] = deviceIsSource ? 0x1000 : 0xf000_0000
      #expect(try bench.run([0xf3, 0xa6], .bits32, at: 0xf000_0000, isWrite: false) == .again(0xf000_0001))
      #expect(bench.has(.zero) && bench.registers[1] == 4)
      #expect(try bench.run([0xf3, 0xa6], .bits32, at: 0xf000_0001, isWrite: false) == .finished)
      #expect(!bench.has(.zero) && bench.registers[1] == 3)
      #expect(bench.has(.carry) == !deviceIsSource)
      #expect(bench.registers[6] & 0xfff == 2 && bench.registers[7] & 0xfff == 2)
    }
  }

  @Test func `two sides of a device are both read there`() throws {
    var bench = Bench(device: 0xffff_ffff)
    bench.registers[6] = 0xf000_0000
    bench.registers[7] = 0xf000_0100
    #expect(try bench.run([0xa7], .bits32, at: 0xf000_0000, isWrite: false) == .finished)
    #expect(bench.has(.zero) && bench.bus.events == [.read(0xf000_0000, 4), .read(0xf000_0100, 4)])
    try bench.run([0xa5], .bits32, at: 0xf000_0004, isWrite: false)
    #expect(bench.bus.written == 0xffff_ffff)
    #expect(bench.registers[6] == 0xf000_0008 && bench.registers[7] == 0xf000_0108)
  }

  @Test func `REPNE SCAS ends where it finds AL`() throws {
    var bench = Bench(device: 0x41)
    bench.registers[0] = 0x40
    bench.registers[1] = 9
    bench.registers[7] = 0xf000_0000
    #expect(try bench.run([0xf2, 0xae], .bits32, at: 0xf000_0000, isWrite: false) == .again(0xf000_0001))
    #expect(bench.has(.carry) && bench.registers[6] == 0)
    bench.bus.value = 0x40
    #expect(try bench.run([0xf2, 0xae], .bits32, at: 0xf000_0001, isWrite: false) == .finished)
    #expect(bench.has(.zero) && bench.registers[1] == 7 && bench.registers[7] == 0xf000_0002)
  }

  @Test func `a side that is not there leaves everything as it was`() throws {
    var bench = Bench(device: 0xff)
    bench.registers[1] = 3
    bench.registers[6] = 0xf000_0000
    bench.registers[7] = 0x2000
    #expect(throws: PageWalkError.notPresent(level: 1)) { try bench.run([0xf3, 0xa6], .bits32, isWrite: false) }
    #expect(bench.registers[1] == 3 && bench.registers[6] == 0xf000_0000 && bench.flags == 2)
  }

  // MARK: - The stack

  @Test(
    arguments: [
      ([0x53], .bits32, 4, 0x5566_7788), ([0x66, 0x53], .bits32, 2, 0x7788),
      ([0x53], .bits64, 8, 0x1122_3344_5566_7788),
      ([0x66, 0x53], .bits64, 2, 0x7788), ([0x6a, 0xfe], .bits32, 4, 0xffff_fffe), ([0x53], .bits16, 2, 0x7788),
      ([0x68, 1, 2, 3, 0x84], .bits64, 8, 0xffff_ffff_8403_0201), ([0x9c], .bits32, 4, 0x46),
      ([0x54], .bits32, 4, 0xf000_0010), ([0x41, 0x53], .bits64, 8, 0xbbbb),
    ] as [([UInt8], CodeSize, UInt64, UInt64)])
  func `PUSH to where nothing is writes there and moves the stack`(
    bytes: [UInt8], code: CodeSize, size: UInt64, value: UInt64
  ) throws {
    var bench = Bench()
    bench.registers[3] = 0x1122_3344_5566_7788
    bench.registers[11] = 0xbbbb
    bench.registers[4] = 0xf000_0010
    bench.flags = 0x46 | 1 << 16
    bench.stack = code == .bits64 ? .quadword : .doubleword
    try bench.run(bytes, code)
    #expect(bench.bus.events == [.write(0xf000_0010 - size, Int(size), value)])
    #expect(bench.registers[4] == 0xf000_0010 - size)
  }

  @Test func `a stack of 16 bits wraps, and the rest of ESP stays`() throws {
    var bench = Bench()
    bench.bases.ss = 0xf000_0000
    bench.registers[4] = 0x7777_0002
    try bench.run([0x66, 0x50], .bits16)
    #expect(bench.bus.events == [.write(0xf000_fffe, 4, 0)] && bench.registers[4] == 0x7777_fffe)
  }

  @Test func `POP takes from where nothing is, and finds an operand with the new stack`() throws {
    var bench = Bench(device: 0xffff_ffff)
    bench.registers[4] = 0xf000_0000
    try bench.run([0x59], .bits32, isWrite: false)
    #expect(bench.registers[1] == 0xffff_ffff && bench.registers[4] == 0xf000_0004)
    try bench.run([0x5c], .bits32, isWrite: false)
    #expect(bench.registers[4] == 0xffff_ffff)
    // From memory to a device at [ESP], which is then four further.
    bench.bases.ss = 0xf000_0000 - 0x1004
    bench.registers[4] = 0x1000
    var memory = bench
    memory.bases.ss = 0
    memory.memory.bytes[0] = 0x42
    memory.registers[3] = 0xf000_0000
    try memory.run([0x8f, 0x03], .bits32)
    #expect(memory.bus.written == 0x42 && memory.registers[4] == 0x1004)
    #expect(throws: PageWalkError.self) { try bench.run([0x8f, 0x04, 0x24], .bits32) }
    #expect(bench.registers[4] == 0x1000)
  }

  @Test func `PUSH of a device's register goes to the stack in memory`() throws {
    var bench = Bench(device: 0x1234_5678)
    bench.registers[4] = 0x1010
    bench.registers[3] = 0xf000_0000
    try bench.run([0xff, 0x33], .bits32, isWrite: false)
    #expect(bench.memory.bytes[0xc..<0x10] == [0x78, 0x56, 0x34, 0x12] && bench.registers[4] == 0x100c)
    #expect(throws: DecodingError.unsupported) { try decode([0xff, 0x35, 0, 0, 0, 0], .bits64) }
  }

  // MARK: - One operand

  @Test func `SETcc and CMOVcc look at the flags`() throws {
    for opcode: UInt8 in 0..<16 {
      for flags in 0..<(UInt64(1) << 12) where flags & ~0x8d5 == 0 {
        let word = ArithmeticFlags(rawValue: flags)
        let (carry, zero) = (word.contains(.carry), word.contains(.zero))
        let less = word.contains(.sign) != word.contains(.overflow)
        let met = [
          word.contains(.overflow), carry, zero, carry || zero, word.contains(.sign), word.contains(.parity), less,
          less || zero,
        ][Int(opcode / 2)]
        #expect(Condition(opcode).holds(word) == (met != (opcode % 2 == 1)))
      }
    }
    var bench = Bench(device: 7)
    bench.flags = 0x42
    try bench.run([0x0f, 0x94, 0x00])
    try bench.run([0x0f, 0x95, 0x00])
    #expect(bench.bus.events == [.write(0xfee0_0000, 1, 1), .write(0xfee0_0000, 1, 0)])
    bench.registers[1] = 0xffff_ffff_0000_0001
    try bench.run([0x0f, 0x45, 0x08], isWrite: false)
    #expect(bench.registers[1] == 1)
    try bench.run([0x0f, 0x44, 0x08], isWrite: false)
    #expect(bench.registers[1] == 7)
  }

  @Test func `shifts and rotations of all bytes agree with sums and products`() {
    for value in UInt64(0)..<256 {
      for count in UInt64(1)...7 {
        var flags = ArithmeticFlags.none
        #expect(Shift.left.apply(value, by: count, .byte, flags: &flags) == value << count & 255)
        #expect(flags.contains(.carry) == (value << count & 256 != 0))
        #expect(Shift.right.apply(value, by: count, .byte, flags: &flags) == value >> count)
        #expect(flags.contains(.carry) == (value >> (count - 1) & 1 != 0))
        let signed = UInt8(bitPattern: Int8(bitPattern: UInt8(value)) >> Int8(count))
        #expect(Shift.arithmeticRight.apply(value, by: count, .byte, flags: &flags) == UInt64(signed))
        let turned = (value << count | value >> (8 - count)) & 255
        #expect(Shift.rotateLeft.apply(value, by: count, .byte, flags: &flags) == turned)
        #expect(Shift.rotateRight.apply(turned, by: count, .byte, flags: &flags) == value)
        var carry = ArithmeticFlags.carry
        let through = Shift.rotateLeftThroughCarry.apply(value, by: count, .byte, flags: &carry)
        #expect(Shift.rotateRightThroughCarry.apply(through, by: count, .byte, flags: &carry) == value)
        #expect(carry.contains(.carry))
      }
    }
    var flags = ArithmeticFlags(rawValue: .max)
    #expect(Shift.left.apply(5, by: 32, .doubleword, flags: &flags) == 5 && flags.rawValue == .max)
    #expect(Shift.left.apply(0x4000_0000, by: 1, .doubleword, flags: &flags) == 0x8000_0000)
    #expect(flags.contains(.overflow) && !flags.contains(.carry) && flags.contains(.sign))
  }

  @Test func `a shift writes its operand back, by 1, by CL and by a number`() throws {
    var bench = Bench(device: 0x81)
    bench.registers[1] = 3
    try bench.run([0xd0, 0x20])
    #expect(bench.bus.written == 0x02 && bench.has(.carry))
    try bench.run([0xd2, 0x28])
    #expect(bench.bus.written == 0x10)
    try bench.run([0xc1, 0x00, 4])
    #expect(bench.bus.written == 0x810)
  }

  @Test func `XADD, IMUL, MOVBE and CMPXCHG8B do what the processor does`() throws {
    var bench = Bench(device: 0xffff_ffff)
    bench.registers[1] = 2
    try bench.run([0xf0, 0x0f, 0xc1, 0x08])
    #expect(bench.bus.written == 1 && bench.registers[1] == 0xffff_ffff && bench.has(.carry))
    bench.registers[1] = 3
    try bench.run([0x0f, 0xaf, 0x08], isWrite: false)
    #expect(bench.registers[1] == 0xffff_fffd && !bench.has(.carry) && !bench.has(.overflow))
    bench.bus.value = 0x8000_0000
    try bench.run([0x0f, 0xaf, 0x08], isWrite: false)
    #expect(bench.has(.overflow))
    bench.bus.value = 0x1122_3344
    try bench.run([0x0f, 0x38, 0xf0, 0x08], isWrite: false)
    #expect(bench.registers[1] == 0x4433_2211)
    try bench.run([0x66, 0x0f, 0x38, 0xf1, 0x08])
    #expect(bench.bus.written == 0x1122)
    bench.bus.value = 0x1111_1111_2222_2222
    (bench.registers[0], bench.registers[2]) = (0x2222_2222, 0x1111_1111)
    (bench.registers[3], bench.registers[1]) = (4, 3)
    try bench.run([0xf0, 0x0f, 0xc7, 0x08])
    #expect(bench.bus.written == 0x3_0000_0004 && bench.has(.zero))
    bench.registers[2] = 0
    try bench.run([0x0f, 0xc7, 0x08])
    #expect(!bench.has(.zero) && bench.registers[2] == 0x1111_1111 && bench.bus.written == 0x1111_1111_2222_2222)
  }

  // MARK: - What is not emulated

  @Test(
    arguments: [
      ([0xd9, 0x00], .bits32, "a floating-point instruction"),
      ([0x0f, 0x10, 0x00], .bits64, "an MMX or SSE instruction"),
      ([0xc5, 0xf8, 0x10, 0x00], .bits64, "an AVX instruction"), ([0xe8, 0, 0, 0, 0], .bits32, "a call or return"),
      ([0xc4, 0x00], .bits32, "a load of a far pointer or BOUND"), ([0xff, 0x10], .bits32, "a call or jump"),
      ([0x0f, 0xae, 0x00], .bits32, "an instruction that saves or restores state"),
      ([0x66, 0x0f, 0x6f, 0x00], .bits32, "an MMX or SSE instruction"), ([], .bits32, "an instruction"),
      ([0x0f, 0x01, 0x10], .bits32, "a load or store of a descriptor table"),
    ] as [([UInt8], CodeSize, String)])
  func `what is not emulated has a name`(bytes: [UInt8], code: CodeSize, name: String) {
    #expect("\(InstructionDecoder.name(InstructionBytes(bytes), as: code))" == name)
    #expect(throws: DecodingError.self) { try decode(bytes, code) }
  }
}
