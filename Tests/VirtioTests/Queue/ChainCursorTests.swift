// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Virtio

/// Moving bytes in and out of chains, however they are cut into buffers (virtio 1.2, §2.7.4.1).
@Suite struct ChainCursorTests {
  private let driver = TestDriver(TestGuest(), size: 256, at: 0x1000)

  init() {
    driver.guest.store(Array(0..<200), at: 0x8000)
  }

  /// Readable buffers that together are the 60 bytes at 0x8000, and writable ones of 1, 20, 3 and 36 bytes.
  private func fill(_ chain: inout DescriptorChain) throws {
    driver.chain(
      0,
      [
        (0x8000, 7, false), (0x8007, 1, false), (0x8008, 52, false), (0x9000, 1, true), (0xa000, 20, true),
        (0xb000, 3, true), (0xc000, 36, true),
      ])
    driver.offer()
    var queue = try driver.queue()
    _ = try queue.next(into: &chain)
  }

  private var written: [UInt8] {
    driver.guest.bytes(0x9000, count: 1) + driver.guest.bytes(0xa000, count: 20)
      + driver.guest.bytes(0xb000, count: 3) + driver.guest.bytes(0xc000, count: 36)
  }

  private func read(_ chain: borrowing DescriptorChain, from offset: Int, count: Int) throws(QueueError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xff, count: count)
    var span = bytes.mutableSpan
    var raw = span.mutableBytes
    try chain.read(offset, into: &raw, in: driver.guest.memory)
    return bytes
  }

  @Test(arguments: [(0, 60), (0, 0), (3, 4), (6, 3), (7, 1), (8, 52), (59, 1), (60, 0)])
  func `bytes are read across buffers`(offset: Int, count: Int) throws {
    var chain = DescriptorChain()
    try fill(&chain)
    #expect(try read(chain, from: offset, count: count) == Array((0..<60).map(UInt8.init)[offset..<offset + count]))
  }

  @Test(arguments: [(0, 61), (60, 1), (61, 0), (.max, 1), (-1, 1)])
  func `bytes that are not there are refused`(offset: Int, count: Int) throws {
    var chain = DescriptorChain()
    try fill(&chain)
    #expect(throws: QueueError.bufferTooSmall) { try read(chain, from: offset, count: count) }
    let bytes = [UInt8](repeating: 1, count: count)
    #expect(throws: QueueError.bufferTooSmall) {
      try chain.write(bytes.span.bytes, at: offset, in: driver.guest.memory)
    }
    #expect(written == Array(repeating: 0, count: 60))
  }

  @Test(arguments: [(0, 60), (0, 1), (1, 20), (20, 5), (24, 36), (60, 0)])
  func `bytes are written across buffers, and nowhere else`(offset: Int, count: Int) throws {
    var chain = DescriptorChain()
    try fill(&chain)
    let bytes = (0..<count).map { UInt8(100 + $0) }
    try chain.write(bytes.span.bytes, at: offset, in: driver.guest.memory)
    var expected = [UInt8](repeating: 0, count: 60)
    expected.replaceSubrange(offset..<offset + count, with: bytes)
    #expect(written == expected)
    #expect(driver.guest.bytes(0x8000, count: 60) == (0..<60).map(UInt8.init))
    #expect(driver.guest[0x9001] as UInt8 == 0)
    #expect(driver.guest[0xa014] as UInt8 == 0)
  }

  @Test func `numbers are read and written across buffers`() throws {
    var chain = DescriptorChain()
    try fill(&chain)
    var input = chain.readable(in: driver.guest.memory)
    try input.skip(6)
    #expect(try input.read(as: UInt32.self) == 0x0908_0706)
    #expect(try input.read(as: UInt8.self) == 10)
    #expect(input.remaining == 49)
    var output = chain.writable(in: driver.guest.memory)
    try output.write(UInt64(0x0807_0605_0403_0201))
    #expect(output.remaining == 52)
    #expect(Array(written.prefix(9)) == [1, 2, 3, 4, 5, 6, 7, 8, 0])
  }

  @Test(arguments: [1, 2, 7, 19, 60])
  func `chains of two guests are copied piece by piece`(piece: Int) throws {
    var source = DescriptorChain()
    try fill(&source)
    let other = TestDriver(TestGuest())
    other.chain(0, [(0x9000, 31, true), (0xa000, 29, true)])
    other.offer()
    var queue = try other.queue()
    var target = DescriptorChain()
    _ = try queue.next(into: &target)

    var from = source.readable(in: driver.guest.memory)
    var to = target.writable(in: other.guest.memory)
    while from.remaining > 0 { try ChainCursor.copy(min(piece, from.remaining), from: &from, to: &to) }
    #expect(to.remaining == 0)
    let copied = other.guest.bytes(0x9000, count: 31) + other.guest.bytes(0xa000, count: 29)
    #expect(copied == (0..<60).map(UInt8.init))
    #expect(other.guest[0x901f] as UInt8 == 0)
  }

  @Test func `a copy of more than one side has is refused and copies nothing`() throws {
    var chain = DescriptorChain()
    try fill(&chain)
    var from = chain.readable(in: driver.guest.memory)
    var to = chain.writable(in: driver.guest.memory)
    try to.skip(59)
    for count in [2, 61, -1] {
      #expect(throws: QueueError.bufferTooSmall) { try ChainCursor.copy(count, from: &from, to: &to) }
    }
    #expect((from.remaining, to.remaining) == (60, 1))
    #expect(written == Array(repeating: 0, count: 60))
  }
}
