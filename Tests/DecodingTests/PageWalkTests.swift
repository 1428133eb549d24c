// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Decoding

private let size = 4 << 20

private func registers(
  cr3: UInt64, cr0: UInt64 = 0x8001_0001, cr4: UInt64 = 0, efer: UInt64 = 0
) -> PagingRegisters {
  PagingRegisters(cr0: cr0, cr3: cr3, cr4: cr4, efer: efer)
}

private func longMode(cr3: UInt64) -> PagingRegisters { registers(cr3: cr3, cr4: 0x20, efer: 0xd00) }

@Suite struct PageWalkTests {
  @Test func `without paging an address is itself, in 32 bits`() throws {
    try withGuestMemory(4096) { (memory) throws in
      let walk = PageWalk(registers(cr3: 0, cr0: 1), memory)
      #expect(try walk.translate(0x1_fee0_0020, for: PageAccess()) == GuestAddress(0xfee0_0020))
    }
  }

  @Test func `32-bit tables lead to 4 KiB pages and, with PSE, to 4 MiB pages`() throws {
    try withGuestMemory(size) { memory in
      try memory.write(UInt32(0x2007), at: GuestAddress(0x1000 + 4 * 3))
      try memory.write(UInt32(0x5007), at: GuestAddress(0x2000 + 4 * 5))
      // PSE-36: bits 13 up are address bits 32 up.
      try memory.write(UInt32(0x0080_0000 | 1 << 13 | 0x87), at: GuestAddress(0x1000 + 4 * 4))
      let walk = PageWalk(registers(cr3: 0x1000, cr4: 0x10), memory)
      #expect(try walk.translate(3 << 22 | 5 << 12 | 0x123, for: PageAccess()) == GuestAddress(0x5123))
      #expect(try walk.translate(4 << 22 | 0x12_3456, for: PageAccess()) == GuestAddress(0x1_0092_3456))
      #expect(throws: PageWalkError.notPresent(level: 2)) { try walk.translate(0, for: PageAccess()) }
      #expect(throws: PageWalkError.notPresent(level: 1)) { try walk.translate(3 << 22, for: PageAccess()) }

      let withoutPSE = PageWalk(registers(cr3: 0x1000), memory)
      #expect(throws: PageWalkError.outsideMemory) { try withoutPSE.translate(4 << 22, for: PageAccess()) }
    }
  }

  @Test func `PAE tables have four top entries and 2 MiB pages`() throws {
    try withGuestMemory(size) { memory in
      try memory.write(UInt64(0x2001), at: GuestAddress(0x1020 + 8 * 3))
      try memory.write(UInt64(0x3007), at: GuestAddress(0x2000 + 8 * 1))
      try memory.write(UInt64(0x1_0000_5007), at: GuestAddress(0x3000))
      try memory.write(UInt64(0x1_0020_0087), at: GuestAddress(0x2000 + 8 * 2))
      let walk = PageWalk(registers(cr3: 0x1020, cr4: 0x20), memory)
      #expect(try walk.translate(0xc020_0008, for: PageAccess()) == GuestAddress(0x1_0000_5008))
      #expect(try walk.translate(0xc040_0008, for: PageAccess()) == GuestAddress(0x1_0020_0008))
      #expect(throws: PageWalkError.notPresent(level: 3)) { try walk.translate(0, for: PageAccess()) }
      #expect(try memory.read(GuestAddress(0x1020 + 24), as: UInt64.self) == 0x2001)
    }
  }

  @Test func `four levels lead to 4 KiB, 2 MiB and 1 GiB pages`() throws {
    try withGuestMemory(size) { memory in
      try memory.write(UInt64(0x2007), at: GuestAddress(0x1000 + 8 * 511))
      try memory.write(UInt64(0x3007), at: GuestAddress(0x2000))
      try memory.write(UInt64(0x40_0000_0087), at: GuestAddress(0x2008))
      try memory.write(UInt64(0x4007), at: GuestAddress(0x3000))
      try memory.write(UInt64(0xe000_0087), at: GuestAddress(0x3008))
      try memory.write(UInt64(0x9007), at: GuestAddress(0x4008))
      let walk = PageWalk(longMode(cr3: 0x1000), memory)
      let top: UInt64 = 0xffff_ff80_0000_0000
      #expect(try walk.translate(top | 0x1234, for: PageAccess()) == GuestAddress(0x9234))
      #expect(try walk.translate(top | 0x20_1234, for: PageAccess()) == GuestAddress(0xe000_1234))
      #expect(try walk.translate(top | 0x5234_5678, for: PageAccess()) == GuestAddress(0x40_1234_5678))
      #expect(throws: PageWalkError.notPresent(level: 4)) { try walk.translate(0, for: PageAccess()) }
      #expect(throws: PageWalkError.notCanonical) { try walk.translate(1 << 47, for: PageAccess()) }
    }
  }

  @Test func `tables outside memory, huge top pages and five levels are refused`() throws {
    try withGuestMemory(size) { memory in
      let outside = PageWalk(longMode(cr3: 0xf_ffff_ffff_f000), memory)
      #expect(throws: PageWalkError.outsideMemory) { try outside.translate(0, for: PageAccess()) }
      try memory.write(UInt64(0x87), at: GuestAddress(0x1000))
      let huge = PageWalk(longMode(cr3: 0x1000), memory)
      #expect(throws: PageWalkError.reservedBit(level: 4)) { try huge.translate(0, for: PageAccess()) }
      let five = PageWalk(registers(cr3: 0x1000, cr4: 0x1020, efer: 0x500), memory)
      #expect(throws: PageWalkError.fiveLevels) { try five.translate(0, for: PageAccess()) }
    }
  }

  @Test func `rights narrow from level to level`() throws {
    try withGuestMemory(size) { memory in
      // Writable, not the user's; then readable by the user, not executable.
      try memory.write(UInt64(0x2003), at: GuestAddress(0x1000))
      try memory.write(UInt64(0x3007), at: GuestAddress(0x2000))
      try memory.write(UInt64(0x4007), at: GuestAddress(0x3000))
      try memory.write(UInt64(1) << 63 | 0x5005, at: GuestAddress(0x4000))
      let walk = PageWalk(longMode(cr3: 0x1000), memory)
      #expect(try walk.translate(0, for: PageAccess()) == GuestAddress(0x5000))
      for access in [PageAccess(isUser: true), PageAccess(isWrite: true), PageAccess(isFetch: true)] {
        #expect(throws: PageWalkError.notAllowed) { try walk.translate(0, for: access) }
      }
      // Without CR0.WP the kernel writes anywhere.
      let unprotected = PageWalk(registers(cr3: 0x1000, cr0: 0x8000_0001, cr4: 0x20, efer: 0x500), memory)
      #expect(try unprotected.translate(0, for: PageAccess(isWrite: true)) == GuestAddress(0x5000))
      #expect(try unprotected.translate(0, for: PageAccess(isFetch: true)) == GuestAddress(0x5000))
    }
  }

  @Test func `accessed and dirty bits are set as the processor does`() throws {
    try withGuestMemory(size) { memory in
      try memory.write(UInt32(0x2003), at: GuestAddress(0x1000))
      try memory.write(UInt32(0x3003), at: GuestAddress(0x2000))
      let walk = PageWalk(registers(cr3: 0x1000), memory)
      _ = try walk.translate(0, for: PageAccess())
      #expect(try memory.read(GuestAddress(0x1000), as: UInt32.self) == 0x2023)
      #expect(try memory.read(GuestAddress(0x2000), as: UInt32.self) == 0x3023)
      _ = try walk.translate(0, for: PageAccess(isWrite: true))
      #expect(try memory.read(GuestAddress(0x2000), as: UInt32.self) == 0x3063)
    }
  }

  @Test func `a fault's error code says what was wanted and what was wrong`() {
    let write = PageAccess(isWrite: true, isUser: true)
    #expect(write.faultCode(.notPresent(level: 1)) == 6)
    #expect(write.faultCode(.notAllowed) == 7)
    #expect(PageAccess(isFetch: true).faultCode(.reservedBit(level: 2)) == 0x19)
  }

  // MARK: - Fetching and linear memory

  @Test func `a fetch crosses into the next page, wherever that is`() throws {
    try withGuestMemory(size) { memory in
      try memory.write(UInt32(0x2003), at: GuestAddress(0x1000))
      try memory.write(UInt32(0x9003), at: GuestAddress(0x2000))
      try memory.write(UInt32(0x5003), at: GuestAddress(0x2004))
      for index in 0..<5 { try memory.write(UInt8(index + 1), at: GuestAddress(0x9ffb + UInt64(index))) }
      for index in 0..<10 { try memory.write(UInt8(index + 6), at: GuestAddress(0x5000 + UInt64(index))) }
      let walk = PageWalk(registers(cr3: 0x1000), memory)
      let bytes = try walk.fetch(rip: 0xfeb, base: 0x10, code: .bits32, isUser: false)
      #expect(bytes.count == 15)
      #expect((0..<15).allSatisfy { bytes[$0] == UInt8($0 + 1) })

      try memory.write(UInt32(0), at: GuestAddress(0x2004))
      #expect(try walk.fetch(rip: 0xffb, base: 0, code: .bits32, isUser: false).count == 5)
      #expect(throws: PageWalkError.notPresent(level: 1)) {
        try walk.fetch(rip: 0x1000, base: 0, code: .bits32, isUser: false)
      }
    }
  }

  @Test func `linear memory crosses pages and touches nothing if one half faults`() throws {
    try withGuestMemory(size) { memory in
      try memory.write(UInt32(0x2003), at: GuestAddress(0x1000))
      try memory.write(UInt32(0x9003), at: GuestAddress(0x2000))
      try memory.write(UInt32(0x5003), at: GuestAddress(0x2004))
      var linear = GuestLinearMemory(PageWalk(registers(cr3: 0x1000), memory), isUser: false)
      try linear.write(linear: 0xffe, width: .doubleword, value: 0x4433_2211)
      #expect(try memory.read(GuestAddress(0x9ffe), as: UInt16.self) == 0x2211)
      #expect(try memory.read(GuestAddress(0x5000), as: UInt16.self) == 0x4433)
      #expect(try linear.read(linear: 0xffe, width: .doubleword) == 0x4433_2211)

      try memory.write(UInt32(0), at: GuestAddress(0x2004))
      #expect(throws: PageWalkError.notPresent(level: 1)) {
        try linear.write(linear: 0xfff, width: .quadword, value: .max)
      }
      #expect(try memory.read(GuestAddress(0x9fff), as: UInt8.self) == 0x22)
      try memory.write(UInt32(0x0fee_0003), at: GuestAddress(0x2004))
      #expect(throws: PageWalkError.outsideMemory) { try linear.read(linear: 0x1000, width: .word) }
    }
  }

  @Test func `hostile tables never trap and end`() throws {
    var random = SplitMix64(seed: 3)
    try withGuestMemory(64 << 10) { memory in
      for _ in 0..<fuzzRounds(200) {
        for _ in 0..<2048 {
          let entry = random.next() & 0x8000_0000_0001_ffff | random.next() & (random.next() & 1) | 1
          _ = try? memory.write(entry, at: GuestAddress(random.next() & 0xffff))
        }
        for _ in 0..<16 {
          let registers = PagingRegisters(
            cr0: random.next() | 1 << 31, cr3: random.next() & 0xffff | random.next() & (0 &- (random.next() & 1)),
            cr4: random.next() & 0x30, efer: random.next() & 0xd00)
          let walk = PageWalk(registers, memory)
          let access = PageAccess(isWrite: random.next() & 1 == 0, isUser: random.next() & 1 == 0)
          _ = try? walk.translate(random.next(), for: access)
          _ = try? walk.fetch(rip: random.next() >> 20, base: 0, code: .bits64, isUser: false)
          var linear = GuestLinearMemory(walk, isUser: false)
          _ = try? linear.write(linear: random.next() & 0xffff_ffff, width: .quadword, value: random.next())
        }
      }
    }
  }
}
