// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Machine

struct LZ4BlockTests {
  private let memory = TestMemory(low: 1 << 16)
  /// Bytes before and behind the output, which nobody may touch.
  private let border = 64

  /// What a block unpacks to.
  private func unpacked(_ block: [UInt8], making count: Int) throws -> [UInt8] {
    try memory.guest.fill(GuestAddress(0), count: UInt64(count + 2 * border), with: 0xee)
    let failure = try memory.guest.withBytes(GuestAddress(UInt64(border)), count: UInt64(count)) { output in
      do throws(LZ4Error) {
        try LZ4Block.decode(block.span.bytes, into: &output)
        return LZ4Error?.none
      } catch { return error }
    }
    let around = try memory.bytes(0, border) + memory.bytes(UInt64(border + count), border)
    #expect(around.allSatisfy { $0 == 0xee })
    if let failure { throw failure }
    return try memory.bytes(UInt64(border), count)
  }

  private func text(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) } }

  // MARK: - The format

  @Test(arguments: [0, 1, 5, 8, 14, 15, 16, 269, 270, 271, 524, 525, 526, 5000])
  func `literals alone are taken as they are, however many`(count: Int) throws {
    var block = MadeBlock()
    block.end(text(count))
    #expect(try unpacked(block.bytes, making: count) == text(count))
  }

  @Test func `a sequence, written down byte by byte`() throws {
    #expect(try unpacked([0x31, 1, 2, 3, 2, 0, 0x20, 8, 9], making: 10) == [1, 2, 3, 2, 3, 2, 3, 2, 8, 9])
    // 15 + 255 + 0 and 4 + 15 + 1: bytes that follow a length end with one that is not 255.
    let long: [UInt8] = [0xff, 255, 0] + text(270) + [14, 1, 1] + [0]
    #expect(try unpacked(long, making: 290) == text(270) + text(270)[0..<20])
  }

  @Test(arguments: 1...20, [4, 5, 8, 12, 13, 16, 17, 18, 19, 40, 300])
  func `a match may reach into what it makes`(distance: Int, match: Int) throws {
    var block = MadeBlock()
    block.add(text(20), distance: distance, match: match)
    // Once near the end, and once with room behind it.
    for rest in [0, 5, 100] {
      var block = block
      block.end(text(rest))
      #expect(try unpacked(block.bytes, making: block.output.count) == block.output)
    }
  }

  @Test func `a match may be as far away as the format allows`() throws {
    var block = MadeBlock()
    block.add(text(300), distance: 300, match: 65_000 - 300)
    #expect(throws: LZ4Error.truncated) { try unpacked(block.bytes, making: block.output.count) }
    block.add([1, 2, 3], distance: 65_003, match: 18)
    block.end(text(64))
    #expect(try unpacked(block.bytes, making: block.output.count) == block.output)
  }

  // MARK: - Hostile blocks

  struct Wrong: Sendable, CustomTestStringConvertible {
    let what: String
    let reason: LZ4Error
    let bytes: [UInt8]
    var count = 64
    var testDescription: String { what }
  }

  private static let literals = [UInt8](repeating: 1, count: 14)

  @Test(arguments: [
    Wrong(what: "nothing", reason: .truncated, bytes: []),
    Wrong(what: "no distance at all", reason: .badDistance, bytes: [0xe0] + literals + [0, 0] + [0xe0] + literals),
    Wrong(what: "a match before the start", reason: .badDistance, bytes: [0xe0] + literals + [15, 0, 0xe0] + literals),
    Wrong(what: "a match far before", reason: .badDistance, bytes: [0xe0] + literals + [255, 255, 0xe0] + literals),
    Wrong(what: "a match of nothing", reason: .badDistance, bytes: [0x00, 1, 0, 0xe0] + literals),
    Wrong(what: "a long match before the start", reason: .badDistance, bytes: [0x1f, 1, 2, 0, 0, 0xe0] + literals),
    Wrong(what: "more literals than block", reason: .truncated, bytes: [0xf0, 255, 255, 0, 1]),
    Wrong(what: "a length without an end", reason: .truncated, bytes: [0xf0, 255, 255]),
    Wrong(what: "a match without literals behind it", reason: .truncated, bytes: [0xe0] + literals + [1, 0]),
    Wrong(what: "half a distance", reason: .truncated, bytes: [0xe0] + literals + [1]),
    Wrong(what: "a match's length without an end", reason: .truncated, bytes: [0xef] + literals + [1, 0, 255]),
    Wrong(what: "too many literals", reason: .tooMuch, bytes: [0xe0] + literals, count: 13),
    Wrong(what: "too few literals", reason: .tooLittle, bytes: [0xe0] + literals, count: 15),
    Wrong(what: "too long a match", reason: .tooMuch, bytes: [0xe4] + literals + [1, 0, 0], count: 21),
    Wrong(what: "too short a match", reason: .tooLittle, bytes: [0xe4] + literals + [1, 0, 0], count: 23),
    Wrong(what: "far too long a match", reason: .tooMuch, bytes: [0xef] + literals + [1, 0, 255, 255, 255, 0, 0]),
    Wrong(what: "literals behind the end", reason: .tooMuch, bytes: [0xe0] + literals + [1, 0, 0x10, 9], count: 18),
    Wrong(what: "something of nothing", reason: .tooMuch, bytes: [0x10, 9], count: 0),
  ])
  func `a block that lies is refused with its reason`(wrong: Wrong) {
    #expect(throws: wrong.reason) { try unpacked(wrong.bytes, making: wrong.count) }
  }

  @Test func `a block that is cut anywhere is refused`() {
    var block = MadeBlock()
    for length in [3, 14, 15, 300] { block.add(text(length), distance: 3, match: length + 1) }
    for _ in 0..<8 { block.add(text(5), distance: 40, match: 9) }
    block.end(text(20))
    for count in 0..<block.bytes.count {
      #expect(throws: LZ4Error.self, "\(count) bytes") {
        try unpacked(Array(block.bytes[..<count]), making: block.output.count)
      }
    }
  }

  @Test func `any block unpacks to what it was made from, and to no other size`() throws {
    var random = SplitMix64(seed: 0x124)
    for _ in 0..<fuzzRounds(500) {
      let block = MadeBlock(&random)
      #expect(try unpacked(block.bytes, making: block.output.count) == block.output)
      #expect(throws: LZ4Error.tooLittle) { try unpacked(block.bytes, making: block.output.count + 1) }
      guard !block.output.isEmpty else { continue }
      #expect(throws: LZ4Error.tooMuch) { try unpacked(block.bytes, making: block.output.count - 1) }
    }
  }

  @Test func `no block traps, and none writes outside its place`() {
    var random = SplitMix64(seed: 0x4c5a)
    for _ in 0..<fuzzRounds(2_000) {
      let block = MadeBlock(&random)
      var bytes = block.bytes
      for _ in 0..<(1 + random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      bytes.removeLast(Int(random.next() % 4 == 0 ? random.next() % UInt64(bytes.count) : 0))
      let count = random.next() % 4 == 0 ? Int(random.next() % 3_000) : block.output.count
      _ = try? unpacked(bytes, making: count)
    }
  }
}
