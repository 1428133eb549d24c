// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import TestSupport
import Testing

/// A region with a ring of 64 bytes, and its counters as a peer sees them. Its memory is never given back: a ring that a
/// test took out of it points there still.
private final class Region {
  static let size = 4096 + 64
  private let start = UnsafeMutableRawPointer.allocate(byteCount: size + 64, alignment: 4096)
  let ring: ByteRing

  init() {
    start.initializeMemory(as: UInt8.self, repeating: 0, count: Self.size)
    (start + Self.size).initializeMemory(as: UInt8.self, repeating: 0xee, count: 64)
    ring = ByteRing(unsafeBase: start, regionSize: UInt64(Self.size))
  }

  var produced: UInt32 {
    get { start.load(as: UInt32.self) }
    set { start.storeBytes(of: newValue, as: UInt32.self) }
  }
  var consumed: UInt32 {
    get { start.load(fromByteOffset: 64, as: UInt32.self) }
    set { start.storeBytes(of: newValue, toByteOffset: 64, as: UInt32.self) }
  }
  var isUnharmed: Bool { UnsafeRawBufferPointer(start: start + Self.size, count: 64).allSatisfy { $0 == 0xee } }
}

@Suite struct ByteRingTests {
  @Test func `bytes come out in the order they went in, and no more than fit go in`() {
    let ring = Region().ring
    #expect(ring.capacity == 64)
    #expect(ring.read() == nil)
    for byte in 0..<64 { #expect(ring.write(UInt8(byte)) == 1) }
    #expect(ring.write(99) == 0)
    #expect(ring.count == 64)
    #expect(ring.space == 0)
    for byte in 0..<64 { #expect(ring.read() == UInt8(byte)) }
    #expect(ring.read() == nil)
  }

  @Test(arguments: [0, 63, UInt32.max, UInt32.max - 40])
  func `the counts run past their end`(first: UInt32) {
    let region = Region()
    (region.produced, region.consumed) = (first, first)
    for round in 0..<200 {
      #expect(region.ring.write(UInt8(round)) == 1)
      #expect(region.ring.write(UInt8(round) ^ 0xff) == 1)
      #expect(region.ring.count == 2)
      #expect(region.ring.read() == UInt8(round))
      #expect(region.ring.read() == UInt8(round) ^ 0xff)
    }
    #expect(region.produced == first &+ 400)
    #expect(region.isUnharmed)
  }

  @Test(arguments: [65, 1000, UInt32.max, 1 << 31])
  func `a peer that claims more than the ring holds is not believed`(claim: UInt32) {
    let region = Region()
    region.produced = claim
    #expect(region.ring.count == 0)
    #expect(region.ring.read() == nil)
    #expect(region.ring.space == 0)
    #expect(region.ring.write(1) == 0)
    region.ring.discard()
    #expect(region.ring.count == 0)
    #expect(region.ring.space == 64)
  }

  @Test func `discarding empties the ring`() {
    let ring = Region().ring
    for byte in 0..<10 { ring.write(UInt8(byte)) }
    ring.discard()
    #expect(ring.count == 0)
    #expect(ring.write(7) == 1)
    #expect(ring.read() == 7)
  }

  @Test func `no counts trap or lead outside`() {
    var random = SplitMix64(seed: 8)
    let region = Region()
    for _ in 0..<fuzzRounds(20_000) {
      switch random.next() % 6 {
      case 0: region.produced = UInt32(truncatingIfNeeded: random.next())
      case 1: region.consumed = UInt32(truncatingIfNeeded: random.next())
      case 2: region.consumed = region.produced &- UInt32(random.next() % 70)
      case 3: region.ring.write(0xaa)
      case 4: _ = region.ring.read()
      default: if random.next() % 16 == 0 { region.ring.discard() }
      }
      #expect((0...64).contains(region.ring.count) && (0...64).contains(region.ring.space))
    }
    #expect(region.isUnharmed)
  }
}
