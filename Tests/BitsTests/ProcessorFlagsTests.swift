// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

/// What QEMU saved of a guest that was interrupted behind `cmpxchg8b`: a number where flags should be.
private let garbage = ProcessorFlags(rawValue: 0xc12e_bb42)
/// Interrupts on, and bit 21, which some kernels leave set.
private let before = ProcessorFlags(rawValue: 0x20_0202)

@Test func `flags that a processor can have are none to repair`() {
  for flags in [0x2, 0x202, 0x246, 0x20_0002, 0x3f_7fd7] as [UInt64] {
    #expect(!ProcessorFlags(rawValue: flags).isImpossible)
  }
}

@Test(arguments: [3, 5, 15, 22, 31, 63] as [UInt64])
func `each reserved bit gives garbage away`(bit: UInt64) {
  #expect(ProcessorFlags(rawValue: 0x202 | 1 << bit).isImpossible)
}

@Test func `of garbage, system flags that were not there before are dropped`() {
  let flags = garbage.repaired(enteredWith: before, mayBeInHandler: false, isUser: false)

  // Of 0xc12ebb42: OF, ZF and IF, and bit 21, which was there; neither VM nor IOPL nor TF.
  #expect(flags.rawValue == 0x20_0a42)
  #expect(!flags.isImpossible)
}

@Test func `a guest that may be in its handler takes no interrupt, one in ring 3 always does`() {
  #expect(garbage.repaired(enteredWith: before, mayBeInHandler: true, isUser: false).rawValue == 0x20_0842)
  #expect(garbage.repaired(enteredWith: before, mayBeInHandler: true, isUser: true).rawValue == 0x20_0a42)
}

@Test func `an interrupt flag that is clear was clear`() {
  let flags = ProcessorFlags(rawValue: 0xc12e_b942).repaired(enteredWith: before, mayBeInHandler: false, isUser: false)
  #expect(!flags.contains(.interrupt))
}
