// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware
import TestSupport

/// The machine's memory as tests see it: `size` bytes from `base`, nothing elsewhere.
struct TestMemory: PhysicalMemory {
  var base: UInt64 = 0
  var content: [UInt8]

  init(base: UInt64 = 0, size: Int) {
    self.base = base
    content = [UInt8](repeating: 0, count: size)
  }

  @_lifetime(borrow self)
  func bytes(at address: PhysicalAddress, count: UInt64) -> RawSpan? {
    guard address.value >= base, fits(address.value - base, count: count, in: UInt64(content.count)) else { return nil }
    let start = Int(address.value - base)
    return content.span.bytes.extracting(start..<(start + Int(count)))
  }

  mutating func put<T: FixedWidthInteger>(_ value: T, at address: UInt64) {
    for index in 0..<MemoryLayout<T>.size {
      content[Int(address - base) + index] = UInt8(truncatingIfNeeded: value >> T(8 * index))
    }
  }

  mutating func put(_ bytes: [UInt8], at address: UInt64) {
    content.replaceSubrange(Int(address - base)..<(Int(address - base) + bytes.count), with: bytes)
  }

  mutating func put(_ text: String, at address: UInt64) { put(Array(text.utf8), at: address) }
}

/// Little-endian bytes of a number.
func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> T(8 * $0)) }
}

/// The bytes of a record as Swift lays it out, padding zeroed.
func bytes<T: BitwiseCopyable>(record value: T) -> [UInt8] {
  var copy = value
  return withUnsafeBytes(of: &copy) { Array($0) }
}

extension SplitMix64 {
  /// A number that parsers stumble over.
  mutating func hostile() -> UInt64 {
    switch next() % 8 {
    case 0: 0
    case 1: .max - next() % 4096
    case 2: 1 << (next() % 64)
    case 3: (1 << (next() % 64)) &- 1
    case 4: UInt64(UInt32.max) - next() % 64
    case 5: next() % 64
    case 6: next() % 4096
    default: next()
    }
  }

  /// Changes a few bytes or numbers of `content`.
  mutating func corrupt(_ content: inout [UInt8]) {
    for _ in 0...(next() % 4) where !content.isEmpty {
      let place = Int(next() % UInt64(content.count))
      switch next() % 3 {
      case 0: content[place] = UInt8(truncatingIfNeeded: next())
      case 1: content[place] ^= 1 << UInt8(next() % 8)
      default:
        let width = [2, 4, 8][Int(next() % 3)]
        let start = place & ~(width - 1)
        for (index, byte) in bytes(hostile()).prefix(width).enumerated() where start + index < content.count {
          content[start + index] = byte
        }
      }
    }
  }
}
