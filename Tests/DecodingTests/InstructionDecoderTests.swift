// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Decoding

@Suite struct InstructionDecoderTests {
  // MARK: - Operations

  @Test func `MOV stores and loads registers of each width`() throws {
    let store = try decode([0x89, 0x08])
    #expect(store.operation == .move && store.destination == .memory && store.width == .doubleword)
    #expect(store.operand == .register(Register(1, .doubleword)))
    #expect(store.memory.base == .register(0) && store.length == 2)

    #expect(try decode([0x8b, 0x08]).destination == .register)
    #expect(try decode([0x66, 0x89, 0x08]).width == .word)
    #expect(try decode([0x88, 0x08]).width == .byte)
    #expect(try decode([0x48, 0x8b, 0x08], .bits64).width == .quadword)
    #expect(try decode([0x89, 0x0f], .bits16).width == .word)
    #expect(try decode([0x66, 0x89, 0x0f], .bits16).width == .doubleword)
  }

  @Test func `byte registers 4 to 7 are AH to BH, and with REX the low bytes`() throws {
    #expect(try decode([0x88, 0x20]).operand == .register(Register(0, .byte, isHighByte: true)))
    #expect(try decode([0x88, 0x38]).operand == .register(Register(3, .byte, isHighByte: true)))
    #expect(try decode([0x40, 0x88, 0x38], .bits64).operand == .register(Register(7, .byte)))
    #expect(try decode([0x44, 0x88, 0x38], .bits64).operand == .register(Register(15, .byte)))
  }

  @Test func `MOV with an immediate extends its sign to 64 bits`() throws {
    let store = try decode([0xc7, 0x00, 0xf0, 0xff, 0xff, 0xff])
    #expect(store.operand == .immediate(0xffff_fff0) && store.length == 6)
    let wide = try decode([0x48, 0xc7, 0x00, 0xf0, 0xff, 0xff, 0xff], .bits64)
    #expect(wide.operand == .immediate(0xffff_ffff_ffff_fff0) && wide.length == 7)
    #expect(try decode([0x66, 0xc7, 0x00, 0x34, 0x12]).operand == .immediate(0x1234))
    #expect(try decode([0xc6, 0x00, 0x80]).operand == .immediate(0x80))
    #expect(throws: DecodingError.unsupported) { try decode([0xc7, 0x08, 0, 0, 0, 0]) }
  }

  @Test func `MOV with an address as immediate has the address's size`() throws {
    let load = try decode([0xa1, 0x20, 0x00, 0xe0, 0xfe])
    #expect(load.memory.displacement == 0xfee0_0020 && load.memory.base == .none && load.length == 5)
    #expect(load.destination == .register && load.operand == .register(Register(0, .doubleword)))
    #expect(try decode([0xa3, 1, 2, 3, 4, 5, 6, 7, 8], .bits64).memory.displacement == 0x0807_0605_0403_0201)
    #expect(try decode([0x67, 0xa3, 1, 2, 3, 4], .bits64).length == 6)
    #expect(try decode([0xa2, 1, 2], .bits16).memory.displacement == 0x0201)
  }

  @Test func `MOVZX and MOVSX read narrow and write wide`() throws {
    let zero = try decode([0x0f, 0xb6, 0x08])
    #expect(zero.operation == .moveZeroExtended && zero.width == .byte)
    #expect(zero.operand == .register(Register(1, .doubleword)))
    #expect(try decode([0x0f, 0xb7, 0x08]).width == .word)
    #expect(try decode([0x0f, 0xbe, 0x08]).operation == .moveSignExtended)
    #expect(try decode([0x48, 0x0f, 0xbf, 0x08], .bits64).operand == .register(Register(1, .quadword)))
    let wide = try decode([0x48, 0x63, 0x08], .bits64)
    #expect(wide.operation == .moveSignExtended && wide.width == .doubleword)
    #expect(throws: DecodingError.unsupported) { try decode([0x63, 0x08]) }
  }

  @Test(
    arguments: [
      (0x00, .add), (0x08, .or), (0x10, .addWithCarry), (0x18, .subtractWithBorrow), (0x20, .and),
      (0x28, .subtract), (0x30, .exclusiveOr), (0x38, .compare),
    ] as [(UInt8, Arithmetic)])
  func `arithmetic has both directions and immediates`(opcode: UInt8, operation: Arithmetic) throws {
    let byte = try decode([opcode, 0x08])
    #expect(byte.operation == .arithmetic(operation) && byte.destination == .memory && byte.width == .byte)
    let word = try decode([opcode + 3, 0x08])
    #expect(word.operation == .arithmetic(operation) && word.destination == .register && word.width == .doubleword)
    let small = try decode([0x83, opcode, 0xff])
    #expect(small.operation == .arithmetic(operation) && small.operand == .immediate(0xffff_ffff))
    #expect(try decode([0x81, opcode, 1, 2, 3, 4]).operand == .immediate(0x0403_0201))
    #expect(try decode([0x80, opcode, 0x7f]).width == .byte)
  }

  @Test func `TEST, NOT, NEG, INC, DEC, XCHG and CMPXCHG are known`() throws {
    #expect(try decode([0x85, 0x08]).operation == .arithmetic(.test))
    #expect(try decode([0xf7, 0x00, 1, 0, 0, 0]).operand == .immediate(1))
    #expect(try decode([0xf6, 0x00, 1]).operation == .arithmetic(.test))
    #expect(try decode([0xf7, 0x10]).operation == .arithmetic(.not))
    #expect(try decode([0xf7, 0x18]).operation == .arithmetic(.negate))
    #expect(try decode([0xff, 0x00]).operation == .arithmetic(.increment))
    #expect(try decode([0xfe, 0x08]).operation == .arithmetic(.decrement))
    #expect(try decode([0x87, 0x08]).operation == .exchange)
    #expect(try decode([0x0f, 0xb1, 0x08]).operation == .compareExchange)
    #expect(try decode([0x0f, 0xb0, 0x08]).width == .byte)
    #expect(try decode([0x0f, 0xc3, 0x08]).operation == .move)
  }

  @Test func `bit operations take their bit from a register or an immediate`() throws {
    #expect(try decode([0x0f, 0xa3, 0x08]).operation == .bit(.test))
    #expect(try decode([0x0f, 0xab, 0x08]).operation == .bit(.set))
    #expect(try decode([0x0f, 0xb3, 0x08]).operation == .bit(.reset))
    #expect(try decode([0x0f, 0xbb, 0x08]).operation == .bit(.complement))
    let immediate = try decode([0x0f, 0xba, 0x28, 0x1f])
    #expect(immediate.operation == .bit(.set) && immediate.operand == .immediate(31))
    #expect(throws: DecodingError.unsupported) { try decode([0x0f, 0xba, 0x18, 0x1f]) }
  }

  @Test func `string operations take the prefix and the source's segment`() throws {
    let move = try decode([0xf3, 0x64, 0xa5])
    #expect(move.operation == .moveString && move.isRepeated && move.memory.segment == .fs)
    #expect(move.memory.base == .register(6) && move.length == 3)
    let store = try decode([0xf3, 0x64, 0xab])
    #expect(store.memory.segment == .es && store.memory.base == .register(7))
    #expect(try decode([0xac]).operation == .loadString)
    #expect(try decode([0xac]).isRepeated == false)
    #expect(try decode([0x66, 0xad]).width == .word)
  }

  // MARK: - Addresses

  @Test func `32-bit addresses have base, index, scale and displacement`() throws {
    let memory = try decode([0x8b, 0x44, 0x8b, 0xfc]).memory
    #expect(memory.base == .register(3) && memory.index == 1 && memory.scale == 4)
    #expect(memory.displacement == 0 &- 4 && memory.segment == .ds)
    #expect(try decode([0x8b, 0x04, 0x25, 0, 0, 0xe0, 0xfe]).memory.base == .none)
    #expect(try decode([0x8b, 0x05, 0, 0, 0xe0, 0xfe]).memory.base == .none)
    #expect(try decode([0x8b, 0x04, 0x24]).memory.segment == .ss)
    #expect(try decode([0x8b, 0x45, 0]).memory.segment == .ss)
    #expect(try decode([0x3e, 0x8b, 0x45, 0]).memory.segment == .ds)
  }

  @Test func `64-bit addresses reach the upper registers and RIP`() throws {
    let memory = try decode([0x43, 0x8b, 0x04, 0x88], .bits64).memory
    #expect(memory.base == .register(8) && memory.index == 9 && memory.scale == 4)
    #expect(try decode([0x42, 0x8b, 0x04, 0x20], .bits64).memory.index == 12)
    #expect(try decode([0x41, 0x8b, 0x45, 0], .bits64).memory.segment == .ds)
    let relative = try decode([0x8b, 0x05, 0x10, 0, 0, 0], .bits64)
    #expect(relative.memory.base == .nextInstruction)
    let registers = InlineArray<16, UInt64>(repeating: 0)
    #expect(relative.memory.offset(registers: registers, nextRIP: 0x1006) == 0x1016)
    #expect(try decode([0x2e, 0x8b, 0x00], .bits64).memory.segment == .ds)
    #expect(try decode([0x65, 0x8b, 0x00], .bits64).memory.segment == .gs)
  }

  @Test(
    arguments: [
      (0x00, 3, 6, .ds), (0x01, 3, 7, .ds), (0x02, 5, 6, .ss), (0x03, 5, 7, .ss),
    ] as [(UInt8, UInt8, UInt8, SegmentName)])
  func `16-bit addresses add two registers`(place: UInt8, base: UInt8, index: UInt8, segment: SegmentName) throws {
    let memory = try decode([0x8b, place], .bits16).memory
    #expect(memory.base == .register(base) && memory.index == index && memory.segment == segment)
  }

  @Test func `16-bit addresses have displacements of 8 and 16 bits`() throws {
    #expect(try decode([0x8b, 0x06, 0x34, 0x12], .bits16).memory.displacement == 0x1234)
    #expect(try decode([0x8b, 0x46, 0xff], .bits16).memory.base == .register(5))
    #expect(try decode([0x8b, 0x84, 0x34, 0x12], .bits16).length == 4)
    #expect(try decode([0x67, 0x8b, 0x06, 0x34, 0x12]).length == 5)
  }

  @Test func `an address is cut to its size and to 32 bits outside 64-bit code`() throws {
    var registers = InlineArray<16, UInt64>(repeating: 0)
    registers[3] = 0xffff_ffff
    var bases = SegmentBases()
    bases.ds = 0x10
    let memory = try decode([0x8b, 0x43, 0x7f]).memory
    let short = memory.linearAddress(registers: registers, nextRIP: 0, bases: bases, code: .bits32)
    #expect(short == 0x7e + 0x10)
    bases.gs = 0xffff_8000_0000_0000
    let long = try decode([0x65, 0x8b, 0x43, 0x7f], .bits64).memory
    #expect(
      long.linearAddress(registers: registers, nextRIP: 0, bases: bases, code: .bits64) == 0xffff_8001_0000_007e)
  }

  // MARK: - Refusals

  @Test func `an instruction that ends too early is truncated`() {
    for count in 0..<6 {
      let bytes = [UInt8]([0xc7, 0x80, 1, 2, 3, 4, 5, 6, 7, 8].prefix(count))
      #expect(throws: DecodingError.truncated) { try decode(bytes) }
    }
  }

  @Test func `more than 15 bytes are too long`() throws {
    #expect(throws: DecodingError.tooLong) { try decode([UInt8](repeating: 0x66, count: 15)) }
    #expect(try decode([UInt8](repeating: 0x66, count: 13) + [0x8b, 0x00]).length == 15)
    #expect(throws: DecodingError.tooLong) { try decode([UInt8](repeating: 0x66, count: 13) + [0x8b, 0x40, 0]) }
  }

  @Test(
    arguments: [
      [0x90], [0x0f, 0x05], [0x8b, 0xc0], [0xff, 0x20], [0xc5, 0xf8, 0x10, 0x00], [0x0f, 0x10, 0x00],
      [0xe8, 0, 0, 0, 0],
      [0x82, 0x00, 0x00], [0xf6, 0x08, 0x00], [0x66, 0x0f, 0xc3, 0x00], [0xf2, 0x0f, 0x38, 0xf0, 0x00], [0xfe, 0x30],
      [0x8f, 0x08], [0x0f, 0xc7, 0x30],
    ] as [[UInt8]])
  func `what devices do not meet is unsupported`(bytes: [UInt8]) {
    #expect(throws: DecodingError.unsupported) { try decode(bytes) }
  }

  @Test func `LOCK is only for what reads, changes and writes memory`() throws {
    #expect(try decode([0xf0, 0x01, 0x08]).isLocked)
    #expect(try decode([0xf0, 0x0f, 0xb1, 0x08]).isLocked)
    #expect(throws: DecodingError.unsupported) { try decode([0xf0, 0x89, 0x08]) }
    #expect(throws: DecodingError.unsupported) { try decode([0xf0, 0x03, 0x08]) }
    #expect(throws: DecodingError.unsupported) { try decode([0xf0, 0x39, 0x08]) }
  }

  @Test func `REX counts only right before the opcode`() throws {
    #expect(try decode([0x48, 0x66, 0x89, 0x08], .bits64).width == .word)
    #expect(try decode([0x66, 0x48, 0x89, 0x08], .bits64).width == .quadword)
    #expect(throws: DecodingError.unsupported) { try decode([0x48, 0x89, 0x08]) }
  }

  @Test func `random bytes never trap and are never longer than what was there`() {
    var random = SplitMix64(seed: 1)
    var accepted = 0
    for _ in 0..<fuzzRounds(20_000) {
      let count = Int(random.next() % 17)
      var bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      // Half of them begin like something that is known.
      let starts: [UInt8] = [0x0f, 0x66, 0x67, 0x48, 0xf3, 0x89, 0x8b, 0xc7, 0x81, 0xf7, 0xa4, 0xa1, 0x64, 0xf0]
      if count > 0, random.next() & 1 == 0 { bytes[0] = starts[Int(random.next() % 14)] }
      for code in [CodeSize.bits16, .bits32, .bits64] {
        do throws(DecodingError) {
          let instruction = try decode(bytes, code)
          #expect(instruction.length <= min(count, 15) && instruction.length > 0)
          accepted += 1
        } catch {
          if error == .tooLong { #expect(count >= 15) }
        }
      }
    }
    #expect(accepted > 1000)
  }
}
