// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@Suite struct AlignmentTests {
  @Test func `rounding keeps what is aligned and moves the rest`() {
    #expect(UInt64(0x1fff).roundedDown(to: 0x1000) == 0x1000)
    #expect(UInt64(0x1000).roundedDown(to: 0x1000) == 0x1000)
    #expect(UInt64(0x1001).roundedUp(to: 0x1000) == 0x2000)
    #expect(UInt64(0x2000).roundedUp(to: 0x1000) == 0x2000)
    #expect(UInt64(0).roundedUp(to: 1 << 63) == 0)
  }

  @Test func `rounding up beyond the type is no number`() {
    #expect(UInt64.max.roundedUp(to: 0x1000) == nil)
    #expect((UInt64.max - 0xfff).roundedUp(to: 0x1000) == UInt64.max - 0xfff)
    #expect(UInt8(0xf1).roundedUp(to: 16) == nil)
    #expect(UInt64.max.roundedDown(to: 0x1000) == UInt64.max - 0xfff)
  }

  @Test func `alignment counts from zero`() {
    #expect(UInt64(0).isAligned(to: 4096))
    #expect(UInt64(0x20_0000).isAligned(to: 0x20_0000))
    #expect(!UInt64(0x10_0000).isAligned(to: 0x20_0000))
    #expect(UInt32(7).isAligned(to: 1))
  }

  @Test func `bits are moved down to bit 0`() {
    #expect(UInt32(0xabcd_1234).bits(16, count: 16) == 0xabcd)
    #expect(UInt16(0b1101).bits(2, count: 2) == 3)
    #expect(UInt64.max.bits(63, count: 1) == 1)
    #expect(UInt64.max.bits(0, count: 64) == .max)
  }

  @Test func `a range fits only whole, and never by wrapping`() {
    #expect(fits(0, count: 10, in: 10))
    #expect(fits(10, count: 0, in: 10))
    #expect(!fits(10, count: 1, in: 10))
    #expect(!fits(11, count: 0, in: 10))
    #expect(!fits(8, count: .max, in: 10))
    #expect(!fits(.max, count: 2, in: .max))
    #expect(fits(.max, count: 0, in: .max))
  }

  @Test func `flags answer for all bits or for any`() {
    struct Word: Flags {
      let rawValue: UInt8
      static var low: Self { .bit(0) }
      static var high: Self { .bit(7) }
    }
    var word = Word.low | .high
    #expect(word.rawValue == 0x81)
    #expect(word.contains(.low | .high))
    word.remove(.high)
    #expect(!word.contains(.low | .high))
    #expect(word.intersects(.low | .high))
    word.set(.low, to: false)
    #expect(word.isEmpty)
    word.insert(.high)
    #expect(word & .low == .none)
  }

  @Test func `numbers of a span are read at any alignment, and only whole`() {
    let content: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    let span = content.span.bytes
    #expect(span.load(1, as: UInt64.self) == 0x0908_0706_0504_0302)
    #expect(span.load(2, as: UInt64.self) == nil)
    #expect(span.load(-1, as: UInt8.self) == nil)
    #expect(span.load(.max, as: UInt16.self) == nil)
    #expect(span.load(9, as: UInt8.self) == nil)
  }

  @Test func `a slice lies inside its span`() {
    let content: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    func slice(_ offset: Int, _ count: Int) -> [UInt8]? {
      guard let slice = content.span.bytes.slice(offset, count: count) else { return nil }
      return (0..<slice.byteCount).compactMap { slice.load($0, as: UInt8.self) }
    }
    #expect(slice(9, 0) == [])
    #expect(slice(3, 6) == [4, 5, 6, 7, 8, 9])
    #expect(slice(3, 7) == nil)
    #expect(slice(.max, .max) == nil)
    #expect(slice(0, -1) == nil)
    #expect(slice(-1, 1) == nil)
  }
}
