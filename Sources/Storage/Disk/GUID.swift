// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// A globally unique identifier, in the byte order it has on disk (UEFI 2.10, appendix A).
///
/// Its text has the first three groups the other way round: on disk they are little-endian numbers.
package struct GUID: Equatable, Sendable, BitwiseCopyable {
  package var bytes: InlineArray<16, UInt8>

  /// The identifier that stands for none.
  package static var zero: Self { Self(bytes: InlineArray(repeating: 0)) }

  package init(bytes: InlineArray<16, UInt8>) { self.bytes = bytes }

  /// The 16 bytes at `offset`; zeros for those that lie outside.
  package init(_ span: borrowing RawSpan, at offset: Int) {
    bytes = InlineArray(repeating: 0)
    for index in 0..<16 { bytes[index] = span.load(offset &+ index) ?? 0 }
  }

  /// An identifier from its five groups, as they are written.
  package init(_ first: UInt32, _ second: UInt16, _ third: UInt16, _ fourth: UInt16, _ fifth: UInt64) {
    bytes = InlineArray(repeating: 0)
    for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: first >> UInt32(8 * index)) }
    for index in 0..<2 {
      bytes[4 + index] = UInt8(truncatingIfNeeded: second >> UInt16(8 * index))
      bytes[6 + index] = UInt8(truncatingIfNeeded: third >> UInt16(8 * index))
      bytes[8 + index] = UInt8(truncatingIfNeeded: fourth >> UInt16(8 * (1 - index)))
    }
    for index in 0..<6 { bytes[10 + index] = UInt8(truncatingIfNeeded: fifth >> UInt64(8 * (5 - index))) }
  }

  /// An identifier from its text, `8-4-4-4-12` hexadecimal digits of either case; `nil` if it is none.
  package init?(text: borrowing RawSpan) {
    guard text.byteCount == 36 else { return nil }
    bytes = InlineArray(repeating: 0)
    var offset = 0
    for index in 0..<16 {
      if Self.beginsGroup(index) {
        guard text.unsignedByte(offset) == 0x2d else { return nil }
        offset += 1
      }
      guard let byte = text.hexadecimal(offset, digits: 2) else { return nil }
      bytes[Self.place(index)] = UInt8(truncatingIfNeeded: byte)
      offset += 2
    }
  }

  package static func == (left: Self, right: Self) -> Bool {
    for index in 0..<16 where left.bytes[index] != right.bytes[index] { return false }
    return true
  }

  /// Where the byte stands on disk that is written as number `index`.
  private static func place(_ index: Int) -> Int {
    switch index {
    case 0...3: 3 - index
    case 4, 6: index + 1
    case 5, 7: index - 1
    default: index
    }
  }

  /// Whether the byte written as number `index` has a hyphen before it.
  private static func beginsGroup(_ index: Int) -> Bool { index == 4 || index == 6 || index == 8 || index == 10 }

  /// Writes the identifier's text.
  package func write(to line: inout LogLine) {
    for index in 0..<16 {
      if Self.beginsGroup(index) { line.append(byte: 0x2d) }
      line.append(magnitude: UInt64(bytes[Self.place(index)]), radix: 16, width: 2)
    }
  }
}

extension RawSpan {
  /// The number written at `offset` in so many hexadecimal digits (at most 8); `nil` if it is not.
  func hexadecimal(_ offset: Int, digits: Int) -> UInt32? {
    var value: UInt32 = 0
    for index in 0..<digits {
      guard let byte = load(offset + index, as: UInt8.self) else { return nil }
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
      case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
      case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
      default: return nil
      }
    }
    return value
  }
}
