// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A name of at most 24 ASCII characters that lives without a heap, zero-padded.
package struct ShortName: Equatable, Sendable, BitwiseCopyable {
  package static var capacity: Int { 24 }

  package var bytes: InlineArray<24, UInt8>

  /// An empty name.
  package init() { bytes = InlineArray(repeating: 0) }

  /// A name from a literal; what does not fit is cut.
  package init(_ text: StaticString) {
    self.init()
    for index in 0..<min(text.utf8CodeUnitCount, Self.capacity) {
      // SAFETY: index is below the literal's length.
      bytes[index] = unsafe text.utf8Start[index]
    }
  }

  /// A name from bytes up to the first zero; what does not fit is cut.
  package init(_ text: borrowing RawSpan) {
    self.init()
    for index in 0..<min(text.byteCount, Self.capacity) {
      guard let byte = text.load(index, as: UInt8.self), byte != 0 else { return }
      bytes[index] = byte
    }
  }

  /// Characters in use.
  package var count: Int {
    for index in 0..<Self.capacity where bytes[index] == 0 { return index }
    return Self.capacity
  }

  package static func == (left: Self, right: Self) -> Bool {
    for index in 0..<capacity where left.bytes[index] != right.bytes[index] { return false }
    return true
  }
}

extension ShortName: ExpressibleByStringLiteral {
  package init(stringLiteral text: StaticString) { self.init(text) }
}
