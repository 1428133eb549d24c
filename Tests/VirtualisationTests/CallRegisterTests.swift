// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Virtualisation

/// The registers of a guest's SYSCALL, as the kernel keeps them.
@Suite struct CallRegisterTests {
  private let numbers: [UInt32] = [0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084]

  @Test func `each reads what was last written to it, and 0 at first`() {
    var registers = CallRegisters()
    #expect(numbers.map { registers[$0] } == [0, 0, 0, 0])

    var taken = [registers.write(0x0023_0010_0000_0000, to: 0xC000_0081)]
    taken.append(registers.write(0xFFFF_FFFF_8180_0080, to: 0xC000_0082))
    taken.append(registers.write(0xFFFF_8000_0000_0000, to: 0xC000_0083))
    taken.append(registers.write(0x0025_7FD5, to: 0xC000_0084))

    #expect(taken == [true, true, true, true])
    #expect(
      numbers.map { registers[$0] } == [0x0023_0010_0000_0000, 0xFFFF_FFFF_8180_0080, 0xFFFF_8000_0000_0000, 0x25_7FD5])
  }

  @Test func `what a processor refuses changes nothing`() {
    var registers = CallRegisters()
    for number in numbers { _ = registers.write(0x1000, to: number) }

    var taken = [registers.write(0x8000_0000_0000, to: 0xC000_0082)]
    taken.append(registers.write(0xFFFF_7FFF_FFFF_FFFF, to: 0xC000_0083))
    taken.append(registers.write(1 << 32, to: 0xC000_0084))

    #expect(taken == [false, false, false])
    #expect(numbers.map { registers[$0] } == [0x1000, 0x1000, 0x1000, 0x1000])
  }

  @Test func `no other register is taken`() {
    var registers = CallRegisters()
    for number in [0x174, 0x175, 0x176, 0xC000_0080, 0xC000_0102, 0xC000_0103, 0] as [UInt32] {
      let isTaken = registers.write(0, to: number)
      #expect(registers[number] == nil && !isTaken)
    }
  }
}
