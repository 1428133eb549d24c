// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Decoding

@Suite struct ExecutorTests {
  @Test func `a store writes the register's bytes`() throws {
    var bench = Bench()
    bench.registers[1] = 0x1122_3344_5566_7788
    #expect(try bench.run([0x89, 0x08]) == .finished)
    try bench.run([0x88, 0x28])
    try bench.run([0x48, 0x89, 0x08])
    try bench.run([0x0f, 0xc3, 0x08])
    try bench.run([0x66, 0xc7, 0x00, 0xff, 0xff])
    let at: UInt64 = 0xfee0_0000
    #expect(
      bench.bus.events == [
        .write(at, 4, 0x5566_7788), .write(at, 1, 0x77), .write(at, 8, 0x1122_3344_5566_7788),
        .write(at, 4, 0x5566_7788), .write(at, 2, 0xffff),
      ])
  }

  @Test func `a load merges by width: 8 and 16 bits keep the rest, 32 clear it`() throws {
    var bench = Bench(device: 0xaabb_ccdd_eeff_0011)
    let before: UInt64 = 0x1122_3344_5566_7788
    for (bytes, after) in [
      ([0x8a, 0x08], 0x1122_3344_5566_7711), ([0x8a, 0x28], 0x1122_3344_5566_1188),
      ([0x66, 0x8b, 0x08], 0x1122_3344_5566_0011), ([0x8b, 0x08], 0xeeff_0011),
      ([0x48, 0x8b, 0x08], 0xaabb_ccdd_eeff_0011), ([0x0f, 0xb6, 0x08], 0x11),
      ([0x0f, 0xb7, 0x08], 0x11), ([0x66, 0x0f, 0xb6, 0x08], 0x1122_3344_5566_0011),
      ([0x48, 0x63, 0x08], 0xffff_ffff_eeff_0011),
    ] as [([UInt8], UInt64)] {
      bench.registers[1] = before
      try bench.run(bytes)
      #expect(bench.registers[1] == after)
    }
  }

  @Test func `MOVSX extends the sign as far as the register goes`() throws {
    var bench = Bench(device: 0x80)
    bench.registers[1] = .max
    try bench.run([0x0f, 0xbe, 0x08])
    #expect(bench.registers[1] == 0xffff_ff80)
    try bench.run([0x48, 0x0f, 0xbe, 0x08])
    #expect(bench.registers[1] == 0xffff_ffff_ffff_ff80)
    bench.registers[1] = 0x1111_1111
    try bench.run([0x66, 0x0f, 0xbe, 0x08])
    #expect(bench.registers[1] == 0x1111_ff80)
  }

  @Test func `XCHG swaps, CMPXCHG swaps only if equal and always writes`() throws {
    var bench = Bench(device: 5)
    bench.registers[1] = 9
    try bench.run([0x87, 0x08])
    #expect(bench.bus.written == 9 && bench.registers[1] == 5)

    bench.registers[0] = 5
    bench.registers[1] = 7
    try bench.run([0x0f, 0xb1, 0x08])
    #expect(bench.bus.written == 7 && bench.has(.zero) && bench.registers[0] == 5)
    bench.registers[0] = 0xffff_ffff_0000_0004
    try bench.run([0x0f, 0xb1, 0x08])
    #expect(bench.bus.written == 5 && !bench.has(.zero) && bench.registers[0] == 5)
    #expect(bench.has(.carry))
  }

  @Test func `arithmetic goes to memory or to the register`() throws {
    var bench = Bench(device: 0xff)
    bench.registers[1] = 1
    try bench.run([0x00, 0x08])
    #expect(bench.bus.written == 0 && bench.has(.carry) && bench.has(.zero))
    bench.registers[1] = 0x300
    try bench.run([0x2b, 0x08])
    #expect(bench.registers[1] == 0x201)
    let count = bench.bus.events.count
    try bench.run([0x39, 0x08])
    try bench.run([0xf7, 0x00, 0xff, 0, 0, 0])
    #expect(bench.bus.events.count == count + 2 && bench.bus.written == nil)
    #expect(!bench.has(.zero))
  }

  @Test func `bit operations set the carry flag and write only if they change`() throws {
    var bench = Bench(device: 0b100)
    try bench.run([0x0f, 0xba, 0x20, 2])
    #expect(bench.has(.carry) && bench.bus.written == nil)
    try bench.run([0x0f, 0xba, 0x30, 2])
    #expect(bench.bus.written == 0)
    bench.registers[1] = 32 + 3
    try bench.run([0x0f, 0xab, 0x08])
    #expect(bench.bus.written == 0b1100 && !bench.has(.carry))
    try bench.run([0x0f, 0xbb, 0x08])
    #expect(bench.bus.written == 0b1100)
  }

  // MARK: - Strings

  @Test func `REP STOS does one element a call and says where to go on`() throws {
    var bench = Bench()
    bench.registers[0] = 0x1234_5678
    bench.registers[1] = 2
    bench.registers[7] = 0x8000
    #expect(try bench.run([0xf3, 0xab]) == .again(0xfee0_0004))
    #expect(bench.registers[1] == 1 && bench.registers[7] == 0x8004)
    #expect(try bench.run([0xf3, 0xab], at: 0xfee0_0004) == .finished)
    #expect(bench.registers[1] == 0 && bench.registers[7] == 0x8008)
    #expect(try bench.run([0xf3, 0xab]) == .finished)
    #expect(bench.bus.events.count == 2)
  }

  @Test func `MOVS copies from memory to the device and back`() throws {
    var bench = Bench(device: 0xcafe)
    bench.memory.bytes[4] = 0x42
    bench.registers[6] = 0x1004
    try bench.run([0xa4])
    #expect(bench.bus.written == 0x42 && bench.registers[6] == 0x1005 && bench.registers[7] == 1)

    bench.registers[7] = 0x1010
    try bench.run([0x66, 0xa5], isWrite: false)
    #expect(bench.memory.bytes[0x10] == 0xfe && bench.memory.bytes[0x11] == 0xca)
    #expect(bench.registers[7] == 0x1012)
  }

  @Test func `a fault on the other side leaves everything as it was`() throws {
    var bench = Bench()
    bench.registers[1] = 3
    bench.registers[6] = 0x2000
    #expect(throws: PageWalkError.notPresent(level: 1)) { try bench.run([0xf3, 0xa5]) }
    #expect(bench.registers[1] == 3 && bench.registers[6] == 0x2000 && bench.bus.events.isEmpty)
  }

  @Test func `the direction flag goes down and narrow counters keep their upper bits`() throws {
    var bench = Bench(device: 0xab)
    bench.flags |= 1 << 10
    bench.registers[1] = 0x5_0002
    bench.registers[6] = 0x7_0000
    #expect(try bench.run([0xf3, 0xac], .bits16, isWrite: false) == .again(0xfedf_ffff))
    #expect(bench.registers[0] == 0xab)
    #expect(bench.registers[1] == 0x5_0001 && bench.registers[6] == 0x7_ffff)
  }

  @Test func `segment bases lead to the other side`() throws {
    var bench = Bench()
    bench.bases.fs = 0x1000
    bench.memory.bytes[8] = 0x77
    bench.registers[6] = 8
    try bench.run([0x64, 0xa4], .bits32)
    #expect(bench.bus.written == 0x77)
  }

  @Test func `whatever is decoded can be carried out`() {
    var random = SplitMix64(seed: 2)
    for _ in 0..<fuzzRounds(15_000) {
      let bytes = (0..<15).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      var bench = Bench(device: random.next())
      for index in 0..<16 { bench.registers[index] = random.next() }
      bench.flags = random.next()
      for code in [CodeSize.bits16, .bits32, .bits64] {
        _ = try? bench.run(bytes, code, at: random.next(), isWrite: random.next() & 1 == 0)
      }
      #expect(bench.bus.events.allSatisfy(isInWidth))
    }
  }

  private func isInWidth(_ event: RecordingBus.Event) -> Bool {
    guard case .write(_, let width, let value) = event else { return true }
    return width == 8 || value < 1 << UInt64(width * 8)
  }
}
