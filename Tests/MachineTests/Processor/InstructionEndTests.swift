// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machine

@Suite struct InstructionEndTests {
  private let trap: UInt64 = 1 << 8
  private let resume: UInt64 = 1 << 16
  private let idle: UInt64 = 0xffff_0ff0

  @Test func `an emulated instruction ends in a trap if the guest steps`() {
    let end = InstructionEnd(flags: 0x202 | trap, dr6: idle)

    #expect(end.traps)
    #expect(end.flags == 0x202 | trap)
    #expect(end.dr6 == 0xffff_4ff0)
  }

  @Test func `without stepping nothing happens`() {
    let end = InstructionEnd(flags: 0x246, dr6: 0xffff_4ff1)

    #expect(!end.traps)
    #expect(end.flags == 0x246)
    #expect(end.dr6 == 0xffff_4ff1)
  }

  @Test(arguments: [0, UInt64(1) << 8])
  func `the next instruction meets its breakpoint again`(trap: UInt64) {
    #expect(InstructionEnd(flags: 0x202 | resume | trap, dr6: idle).flags == 0x202 | trap)
  }

  @Test func `each repetition of an instruction ends in a trap, and its own breakpoint is not met again`() {
    let end = InstructionEnd(flags: 0x602 | trap, dr6: idle, isPart: true)

    #expect(end.traps)
    #expect(end.flags == 0x602 | trap | resume)
    #expect(InstructionEnd(flags: 0x602 | resume, dr6: idle, isPart: true).flags == 0x602 | resume)
    #expect(InstructionEnd(flags: 0x602, dr6: idle, isPart: true).flags == 0x602)
  }
}
