// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Reads an instruction's bytes one after the other, never past their end and never a sixteenth.
struct ByteCursor {
  private let bytes: InstructionBytes
  /// Bytes read so far.
  private(set) var position = 0

  init(_ bytes: InstructionBytes) { self.bytes = bytes }

  mutating func next() throws(DecodingError) -> UInt8 {
    guard position < InstructionBytes.limit else { throw .tooLong }
    guard let byte = bytes[position] else { throw .truncated }
    position += 1
    return byte
  }

  /// A little-endian number.
  mutating func number(_ width: Width) throws(DecodingError) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<width.rawValue { value |= UInt64(try next()) << UInt64(index * 8) }
    return value
  }

  /// A little-endian number with its sign in all 64 bits.
  mutating func signed(_ width: Width) throws(DecodingError) -> UInt64 { width.signExtend(try number(width)) }
}
