// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The name of a GPT partition: at most 36 units of UTF-16 (UEFI 2.10, §5.3.3).
package struct PartitionName: Equatable, Sendable, BitwiseCopyable {
  package static var capacity: Int { 36 }

  package private(set) var units = InlineArray<36, UInt16>(repeating: 0)

  /// Units in use: those before the first zero, which no name has.
  ///
  /// It is not stored beside them: Swift 6.3 loses the end of this structure when it makes it the payload of an enum.
  package var count: Int {
    for index in 0..<Self.capacity where units[index] == 0 { return index }
    return Self.capacity
  }

  /// An empty name.
  package init() {}

  /// The name in the 72 bytes at `offset`, up to the first zero.
  init(utf16 bytes: borrowing RawSpan, at offset: Int) {
    for index in 0..<Self.capacity {
      guard let unit = bytes.load(offset &+ 2 * index, as: UInt16.self), unit != 0 else { return }
      append(unit)
    }
  }

  /// A name from UTF-8; `nil` if that is malformed, holds a zero, or does not fit.
  package init?(utf8 text: borrowing RawSpan) {
    var offset = 0
    while offset < text.byteCount {
      guard let (scalar, length) = text.scalar(offset), scalar != 0 else { return nil }
      offset += length
      guard count + (scalar > 0xffff ? 2 : 1) <= Self.capacity else { return nil }
      if scalar > 0xffff {
        append(UInt16(truncatingIfNeeded: 0xd800 + ((scalar - 0x1_0000) >> 10)))
        append(UInt16(truncatingIfNeeded: 0xdc00 + ((scalar - 0x1_0000) & 0x3ff)))
      } else {
        append(UInt16(truncatingIfNeeded: scalar))
      }
    }
  }

  private mutating func append(_ unit: UInt16) { units[count] = unit }

  package static func == (left: Self, right: Self) -> Bool {
    guard left.count == right.count else { return false }
    for index in 0..<left.count where left.units[index] != right.units[index] { return false }
    return true
  }

  /// Writes the name; what is not printable ASCII becomes a question mark.
  package func write(to line: inout LogLine) {
    for index in 0..<count {
      line.append(byte: (0x20...0x7e).contains(units[index]) ? UInt8(truncatingIfNeeded: units[index]) : 0x3f)
    }
  }
}

extension RawSpan {
  /// The Unicode scalar whose UTF-8 begins at `offset`, and its bytes; `nil` if it is malformed.
  fileprivate func scalar(_ offset: Int) -> (value: UInt32, length: Int)? {
    guard let head = load(offset, as: UInt8.self) else { return nil }
    let length: Int
    var value: UInt32
    switch head {
    case 0x00...0x7f: return (UInt32(head), 1)
    case 0xc2...0xdf: (length, value) = (2, UInt32(head & 0x1f))
    case 0xe0...0xef: (length, value) = (3, UInt32(head & 0x0f))
    case 0xf0...0xf4: (length, value) = (4, UInt32(head & 0x07))
    default: return nil
    }
    for index in 1..<length {
      guard let byte = load(offset + index, as: UInt8.self), byte & 0xc0 == 0x80 else { return nil }
      value = value << 6 | UInt32(byte & 0x3f)
    }
    // No longer than need be, no half of a surrogate pair, nothing above the last scalar.
    let least: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x1_0000
    guard value >= least, value <= 0x10_ffff, !(0xd800...0xdfff).contains(value) else { return nil }
    return (value, length)
  }
}
