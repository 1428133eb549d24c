// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

struct LowMemoryTests {
  private static let head = LowMemory.headSize
  /// 8 MiB that the machine has at 96 MiB.
  private let direct = LowMemory(size: 8 << 20, base: 96 << 20)

  @Test func `memory that is not direct-mapped lies from 0 on`() {
    let memory = LowMemory(size: 8 << 20)
    #expect(!memory.isDirectMapped)
    #expect((memory.end, memory.bodyStart, memory.sizeFromZero) == (8 << 20, 2 << 20, 8 << 20))
    #expect(memory.offset(of: 0, count: 8 << 20) == 0)
    #expect(memory.offset(of: Self.head - 1, count: 2) == Self.head - 1)
    #expect(memory.offset(of: 8 << 20, count: 1) == nil)
  }

  @Test func `of direct-mapped memory all but the head is where the machine has it`() {
    #expect(direct.isDirectMapped)
    #expect((direct.end, direct.bodyStart, direct.sizeFromZero) == (104 << 20, 98 << 20, 2 << 20))
    #expect(direct.offset(of: 0x7000, count: 4096) == 0x7000)
    #expect(direct.offset(of: 98 << 20, count: 6 << 20) == 2 << 20)
    #expect(direct.offset(of: (104 << 20) - 1, count: 1) == (8 << 20) - 1)
  }

  @Test(
    arguments: [
      (0, (2 << 20) + 1), ((2 << 20) - 1, 2), (2 << 20, 1), (96 << 20, 1), ((98 << 20) - 1, 1), ((98 << 20) - 1, 2),
      (104 << 20, 1), (98 << 20, (6 << 20) + 1), (98 << 20, .max), (.max, 1), (.max, .max),
    ] as [(UInt64, UInt64)])
  func `a range with a byte in no part of it, or in both, is refused`(address: UInt64, count: UInt64) {
    #expect(direct.offset(of: address, count: count) == nil)
  }

  @Test func `memory no larger than the head has all of it at 0`() {
    let memory = LowMemory(size: Self.head, base: 96 << 20)
    #expect((memory.bodyStart, memory.end) == (98 << 20, 98 << 20))
    #expect(memory.offset(of: 98 << 20, count: 1) == nil)
    #expect(memory.offset(of: 0, count: Self.head) == 0)
  }

  @Test func `two addresses never mean one byte, and none lies outside`() {
    var random = SplitMix64(seed: 0xd1ec7)
    for _ in 0..<fuzzRounds(5_000) {
      let size = (1 + random.next() % 8) << 21
      let memory = LowMemory(size: size, base: (random.next() % 512) << 21)
      let address = random.next() >> (random.next() % 64)
      let count = random.next() >> (random.next() % 64)
      guard let offset = memory.offset(of: address, count: count) else { continue }
      #expect(fits(offset, count: count, in: size))
      #expect(offset == address || (offset + memory.base == address && offset >= Self.head))
    }
  }
}
