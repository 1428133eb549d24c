// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension RawSpan {
  /// The little-endian number at `offset`, of any alignment; `nil` if a byte of it lies outside.
  package func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T? {
    guard offset >= 0, offset <= byteCount, byteCount - offset >= MemoryLayout<T>.size else { return nil }
    // SAFETY: the bytes [offset, offset + size) lie inside the span, checked above.
    return unsafe T(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
  }

  /// The bytes `[offset, offset + count)`; `nil` if one of them lies outside.
  @_lifetime(copy self)
  package func slice(_ offset: Int, count: Int) -> RawSpan? {
    guard offset >= 0, count >= 0, offset <= byteCount, byteCount - offset >= count else { return nil }
    return extracting(offset..<(offset + count))
  }
}

extension MutableRawSpan {
  /// Stores a little-endian number at `offset`, of any alignment; a number that does not fit traps.
  package mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
    precondition(offset >= 0 && offset <= byteCount && byteCount - offset >= MemoryLayout<T>.size)
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }
}
