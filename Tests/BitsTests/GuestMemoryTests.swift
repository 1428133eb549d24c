// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

/// A guest with 8 KiB from address 0 and 4 KiB from 4 GiB, between bytes that nobody may touch.
private final class Guest {
  static let low = 8192
  static let high = 4096
  private static let guardBytes = 4096
  private let lowStart: UnsafeMutableRawPointer
  private let highStart: UnsafeMutableRawPointer
  let memory: GuestMemory

  init() {
    lowStart = .allocate(byteCount: Self.low + 2 * Self.guardBytes, alignment: 4096)
    highStart = .allocate(byteCount: Self.high + 2 * Self.guardBytes, alignment: 4096)
    lowStart.initializeMemory(as: UInt8.self, repeating: 0xee, count: Self.low + 2 * Self.guardBytes)
    highStart.initializeMemory(as: UInt8.self, repeating: 0xee, count: Self.high + 2 * Self.guardBytes)
    memory = GuestMemory(
      unsafeLow: lowStart + Self.guardBytes, lowSize: UInt64(Self.low), high: highStart + Self.guardBytes,
      highSize: UInt64(Self.high))
  }

  deinit {
    lowStart.deallocate()
    highStart.deallocate()
  }

  /// Whether the bytes around both parts are as they were.
  var isUnharmed: Bool {
    func holds(_ start: UnsafeMutableRawPointer, _ size: Int) -> Bool {
      let bytes = UnsafeRawBufferPointer(start: start, count: size + 2 * Self.guardBytes)
      return bytes.prefix(Self.guardBytes).allSatisfy { $0 == 0xee }
        && bytes.suffix(Self.guardBytes).allSatisfy { $0 == 0xee }
    }
    return holds(lowStart, Self.low) && holds(highStart, Self.high)
  }
}

private let top = UInt64(4) << 30

@Suite struct GuestMemoryTests {
  @Test(arguments: [0, 1, 8184, top, top + 3, top + 4088])
  func `a number is read as it was written, at any alignment`(address: UInt64) throws {
    let guest = Guest()
    try guest.memory.write(UInt64(0x1122_3344_5566_7788), at: GuestAddress(address))
    #expect(try guest.memory.read(GuestAddress(address), as: UInt64.self) == 0x1122_3344_5566_7788)
    #expect(try guest.memory.read(GuestAddress(address), as: UInt8.self) == 0x88)
    #expect(guest.isUnharmed)
  }

  @Test(arguments: [8185, 8192, top - 1, top - 4, top + 4089, top + 4096, 1 << 40, .max, .max - 3] as [UInt64])
  func `a number with a byte outside is refused`(address: UInt64) {
    let guest = Guest()
    #expect(throws: GuestMemoryError.outOfRange) { try guest.memory.read(GuestAddress(address), as: UInt64.self) }
    #expect(throws: GuestMemoryError.outOfRange) { try guest.memory.write(UInt64(0), at: GuestAddress(address)) }
    #expect(guest.isUnharmed)
  }

  @Test func `a range that wraps or spans the hole is refused`() {
    let memory = Guest().memory
    for (address, count) in [(8, .max), (.max, 2), (0, top + 1), (8192, 1), (top, 4097), (top + 1, .max)] {
      #expect(!memory.contains(GuestAddress(address), count: count))
      #expect(throws: GuestMemoryError.outOfRange) { try memory.fill(GuestAddress(address), count: count) }
      #expect(throws: GuestMemoryError.outOfRange) {
        try memory.withBytes(GuestAddress(address), count: count) { _ in }
      }
    }
    #expect(memory.contains(GuestAddress(0), count: 8192))
    #expect(memory.contains(GuestAddress(8192), count: 0))
    #expect(memory.contains(GuestAddress(top), count: 4096))
  }

  @Test func `a guest without memory above the hole has none there`() {
    var storage: [UInt64] = [0, 0]
    storage.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      let memory = GuestMemory(unsafeLow: start, lowSize: 16, highSize: 16)
      #expect(memory.highSize == 0)
      #expect(!memory.contains(GuestAddress(top), count: 1))
    }
  }

  @Test func `direct-mapped memory is reached at the machine's addresses, and at 0 for its head alone`() throws {
    let size = 4 << 20
    let start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
    defer { start.deallocate() }
    start.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    let memory = GuestMemory(unsafeLow: start, lowSize: UInt64(size), base: 0x1000_0000)

    try memory.write(UInt32(0x1234), at: GuestAddress(0x1f_fffc))
    try memory.write(UInt32(0x5678), at: GuestAddress(0x1020_0000))
    #expect(start.load(fromByteOffset: 0x1f_fffc, as: UInt32.self) == 0x1234)
    #expect(start.load(fromByteOffset: 0x20_0000, as: UInt32.self) == 0x5678)
    for address in [0x1f_fffd, 0x20_0000, 0x1000_0000, 0x101f_fffe, 0x103f_fffd] as [UInt64] {
      #expect(throws: GuestMemoryError.outOfRange) { try memory.read(GuestAddress(address), as: UInt32.self) }
    }
  }

  @Test func `bytes are copied, filled and lent in place`() throws {
    let guest = Guest()
    let text: [UInt8] = Array("guest".utf8)
    try guest.memory.write(text.span.bytes, at: GuestAddress(8187))
    #expect(try guest.memory.read(GuestAddress(8187), as: UInt8.self) == 0x67)
    #expect(throws: GuestMemoryError.outOfRange) { try guest.memory.write(text.span.bytes, at: GuestAddress(8188)) }
    try guest.memory.fill(GuestAddress(top), count: 4096, with: 7)
    #expect(try guest.memory.read(GuestAddress(top + 4095), as: UInt8.self) == 7)
    try guest.memory.withBytes(GuestAddress(16), count: 4) { $0.store(UInt32(0xabcd), at: 0) }
    #expect(try guest.memory.read(GuestAddress(16), as: UInt32.self) == 0xabcd)
    #expect(guest.isUnharmed)
  }

  @Test func `bytes are copied out of the guest, all or none`() throws {
    let guest = Guest()
    try guest.memory.write(UInt64(0x0807_0605_0403_0201), at: GuestAddress(8184))
    var bytes = [UInt8](repeating: 0, count: 5)
    func read(_ address: UInt64) throws(GuestMemoryError) {
      var span = bytes.mutableSpan
      var raw = span.mutableBytes
      try guest.memory.read(into: &raw, from: GuestAddress(address))
    }
    try read(8187)
    #expect(bytes == [4, 5, 6, 7, 8])
    #expect(throws: GuestMemoryError.outOfRange) { try read(8188) }
    #expect(bytes == [4, 5, 6, 7, 8])
  }

  @Test func `bytes are copied from guest to guest and within one, whole ranges only`() throws {
    let (one, other) = (Guest(), Guest())
    try one.memory.write(UInt64(0x1122_3344_5566_7788), at: GuestAddress(8184))
    try other.memory.copy(8, from: one.memory, at: GuestAddress(8184), to: GuestAddress(top + 4088))
    #expect(try other.memory.read(GuestAddress(top + 4088), as: UInt64.self) == 0x1122_3344_5566_7788)
    try one.memory.copy(8, from: one.memory, at: GuestAddress(8184), to: GuestAddress(8182))
    #expect(try one.memory.read(GuestAddress(8182), as: UInt64.self) == 0x1122_3344_5566_7788)
    let wrong: [(source: UInt64, target: UInt64, count: UInt64)] = [
      (8185, 0, 8), (0, 8185, 8), (0, 0, 8193), (8192, 0, 1), (top + 4089, 0, 8), (.max, 0, 2),
    ]
    for (source, target, count) in wrong {
      #expect(throws: GuestMemoryError.outOfRange) {
        try other.memory.copy(count, from: one.memory, at: GuestAddress(source), to: GuestAddress(target))
      }
    }
    #expect(one.isUnharmed && other.isUnharmed)
  }

  @Test(arguments: [(0, 16), (8176, 16), (top + 4080, 16), (8192, 0)] as [(UInt64, UInt64)])
  func `a window is the guest's memory itself`(address: UInt64, count: UInt64) throws {
    let guest = Guest()
    let window = try guest.memory.window(GuestAddress(address), count: count)
    #expect(window.count == Int(count))
    guard count > 0 else { return }
    window.write(UInt32(0xaabb_ccdd), at: 12)
    window.storeRelease(0x1234, at: 2)
    #expect(try guest.memory.read(GuestAddress(address + 12), as: UInt32.self) == 0xaabb_ccdd)
    try guest.memory.write(UInt16(0x5678), at: GuestAddress(address + 2))
    #expect(window.loadAcquire(2) == 0x5678)
    window.write(UInt8(0xcd), at: 1)
    #expect(window.read(1, as: UInt16.self) == 0x78cd)
    #expect(guest.isUnharmed)
  }

  @Test func `a window with a byte outside is none`() {
    let memory = Guest().memory
    for (address, count) in [(8177, 16), (8193, 0), (top - 1, 2), (top + 4096, 1), (.max, .max)] as [(UInt64, UInt64)] {
      #expect(throws: GuestMemoryError.outOfRange) { try memory.window(GuestAddress(address), count: count) }
    }
  }

  @Test func `no range traps or touches what is not the guest's`() {
    let guest = Guest()
    var random = SplitMix64(seed: 11)
    for _ in 0..<fuzzRounds(20_000) {
      let address = GuestAddress(random.hostile())
      let count = random.hostile()
      switch random.next() % 5 {
      case 4: try? guest.memory.copy(count, from: guest.memory, at: GuestAddress(random.hostile()), to: address)
      case 0: _ = try? guest.memory.read(address, as: UInt32.self)
      case 1: try? guest.memory.write(random.next(), at: address)
      case 2: try? guest.memory.fill(address, count: count, with: 1)
      default: _ = try? guest.memory.withBytes(address, count: count) { $0.byteCount }
      }
    }
    #expect(guest.isUnharmed)
  }
}

extension SplitMix64 {
  /// A number at the edges of a guest's memory.
  fileprivate mutating func hostile() -> UInt64 {
    let edges = [0, 4096, 8192, top, top + 4096, .max, 1 << 63]
    return edges[Int(next() % UInt64(edges.count))] &+ next() % 33 &- 16
  }
}
