// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A set of interrupt vectors: one of the local APIC's 256-bit registers.
struct VectorSet: Equatable, Sendable {
  // Four words with names, not an array: the search for the highest vector runs at every exit.
  private var word0: UInt64 = 0
  private var word1: UInt64 = 0
  private var word2: UInt64 = 0
  private var word3: UInt64 = 0

  private subscript(word: UInt8) -> UInt64 {
    get {
      switch word & 3 {
      case 0: word0
      case 1: word1
      case 2: word2
      default: word3
      }
    }
    set {
      switch word & 3 {
      case 0: word0 = newValue
      case 1: word1 = newValue
      case 2: word2 = newValue
      default: word3 = newValue
      }
    }
  }

  init() {}

  /// The set as four words, vector 0 in bit 0 of the first.
  init(_ words: InlineArray<4, UInt64>) {
    word0 = words[0]
    word1 = words[1]
    word2 = words[2]
    word3 = words[3]
  }

  var words: InlineArray<4, UInt64> { [word0, word1, word2, word3] }

  private static func bit(_ vector: UInt8) -> UInt64 { 1 << UInt64(vector & 63) }

  var isEmpty: Bool { word0 | word1 | word2 | word3 == 0 }

  @inline(__always)
  func contains(_ vector: UInt8) -> Bool { self[vector >> 6] & Self.bit(vector) != 0 }
  @inline(__always)
  mutating func insert(_ vector: UInt8) { self[vector >> 6] |= Self.bit(vector) }
  @inline(__always)
  mutating func remove(_ vector: UInt8) { self[vector >> 6] &= ~Self.bit(vector) }

  func isDisjoint(with other: Self) -> Bool {
    word0 & other.word0 | word1 & other.word1 | word2 & other.word2 | word3 & other.word3 == 0
  }

  /// The vector of the highest priority.
  @inline(__always)
  var highest: UInt8? {
    if word3 != 0 { return 255 - UInt8(truncatingIfNeeded: word3.leadingZeroBitCount) }
    if word2 != 0 { return 191 - UInt8(truncatingIfNeeded: word2.leadingZeroBitCount) }
    if word1 != 0 { return 127 - UInt8(truncatingIfNeeded: word1.leadingZeroBitCount) }
    if word0 != 0 { return 63 - UInt8(truncatingIfNeeded: word0.leadingZeroBitCount) }
    return nil
  }

  /// The 32 vectors from `32 * index`, as one of the eight registers shows them.
  func register(_ index: UInt32) -> UInt32 {
    UInt32(truncatingIfNeeded: self[UInt8(truncatingIfNeeded: index >> 1)] >> (index & 1 == 0 ? 0 : 32))
  }

  static func == (left: Self, right: Self) -> Bool {
    left.word0 == right.word0 && left.word1 == right.word1 && left.word2 == right.word2 && left.word3 == right.word3
  }
}
