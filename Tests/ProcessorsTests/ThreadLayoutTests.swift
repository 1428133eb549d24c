// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Processors

/// CPUID as some processor answers it; leaves that are not named are zeros.
private func layout(_ leaves: [UInt32: CPUIDAnswer]) -> ThreadLayout {
  ThreadLayout { number, part in part == 0 ? leaves[number] ?? CPUIDAnswer() : CPUIDAnswer() }
}

@Suite struct ThreadLayoutTests {
  /// A Xeon D-2100 (Skylake), processor 13: two threads, whose numbers differ in bit 0.
  private let xeon = layout([
    0: CPUIDAnswer(eax: 0x16), 1: CPUIDAnswer(ebx: 0x0d20_0800),
    0xb: CPUIDAnswer(eax: 1, ebx: 2, ecx: 0x100, edx: 13), 0x8000_0000: CPUIDAnswer(eax: 0x8000_0008),
  ])

  @Test func `Intel's threads are told apart by leaf 0xB`() {
    #expect(xeon.threadBits == 1)
    #expect(xeon.number == 13)
    #expect(xeon.isOneCore(12, 13))
    #expect(!xeon.isOneCore(13, 14))
  }

  @Test func `AMD's threads are told apart by leaf 0xB, or by its own`() {
    let zen: [UInt32: CPUIDAnswer] = [
      0: CPUIDAnswer(eax: 0xd), 1: CPUIDAnswer(ebx: 0x0610_0800),
      0x8000_0000: CPUIDAnswer(eax: 0x8000_001f), 0x8000_0001: CPUIDAnswer(ecx: 1 << 22),
      0x8000_001e: CPUIDAnswer(eax: 6, ebx: 0x103),
    ]
    #expect(layout(zen).threadBits == 1)
    #expect(layout(zen).number == 6)
    let withLeaf = zen.merging([0xb: CPUIDAnswer(eax: 1, ebx: 2, ecx: 0x100, edx: 6)]) { $1 }
    #expect(layout(withLeaf) == layout(zen))
    // Without the flag for it the leaf is no leaf.
    #expect(layout(zen.merging([0x8000_0001: CPUIDAnswer()]) { $1 }).threadBits == 0)
  }

  @Test func `numbers beyond 255 stand in leaf 0xB alone`() {
    let many = layout([
      0: CPUIDAnswer(eax: 0x1f), 1: CPUIDAnswer(ebx: 0x2c20_0800),
      0xb: CPUIDAnswer(eax: 1, ebx: 2, ecx: 0x100, edx: 300),
    ])
    #expect(many.number == 300)
  }

  @Test func `an old processor's threads are cores`() {
    let old = layout([0: CPUIDAnswer(eax: 5), 1: CPUIDAnswer(ebx: 0x0302_0800)])
    #expect(old.threadBits == 0)
    #expect(old.number == 3)
    #expect(!old.isOneCore(2, 3))
  }

  @Test func `cores are counted, and one that nobody uses is found`() {
    // In the order of firmware: first threads first, then their siblings.
    let numbers: [UInt32] = [0, 2, 4, 6, 1, 3, 5, 7]
    #expect(xeon.coreCount(8) { numbers[$0] } == 4)
    #expect(xeon.freeCore(8, { numbers[$0] }, isUsed: { [0, 4].contains($0) }) == 1)
    #expect(xeon.freeCore(8, { numbers[$0] }, isUsed: { [0, 1, 6].contains($0) }) == 3)
    #expect(xeon.freeCore(8, { numbers[$0] }, isUsed: { $0 < 4 }) == nil)
    #expect(xeon.freeCore(0, { numbers[$0] }, isUsed: { _ in false }) == nil)
    #expect(xeon.coreCount(0) { numbers[$0] } == 0)
  }

  @Test func `no answer of CPUID traps`() {
    var random = SplitMix64(seed: 31)
    func word() -> UInt32 {
      UInt32(truncatingIfNeeded: random.next() % 3 == 0 ? UInt64.max << (random.next() % 64) : random.next())
    }
    for _ in 0..<fuzzRounds(500) {
      let read = ThreadLayout { _, _ in CPUIDAnswer(eax: word(), ebx: word(), ecx: word(), edx: word()) }
      #expect(read.threadBits <= 8)
      _ = read.isOneCore(word(), word())
    }
  }
}
