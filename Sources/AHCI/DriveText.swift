// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Text of at most 40 characters in which a drive describes itself; printable ASCII, without spaces around it.
package struct DriveText: Equatable, Sendable {
  private var bytes: InlineArray<40, UInt8> = InlineArray(repeating: 0)
  /// Characters in use.
  package private(set) var count = 0

  package init() {}

  /// Text as drives store it: two characters a word, the first in the upper half (ACS-3, §3.3.10).
  init(_ block: borrowing RawSpan, word first: Int, words: Int) {
    var end = 0
    for index in 0..<min(words * 2, 40) {
      let byte: UInt8 = block.load(first * 2 + (index ^ 1)) ?? 0
      let isPrintable = (0x21...0x7e).contains(byte)
      guard isPrintable || count > 0 else { continue }
      bytes[count] = isPrintable ? byte : 0x20
      count += 1
      if isPrintable { end = count }
    }
    for index in end..<count { bytes[index] = 0 }
    count = end
  }

  package static func == (left: Self, right: Self) -> Bool {
    guard left.count == right.count else { return false }
    for index in 0..<left.count where left.bytes[index] != right.bytes[index] { return false }
    return true
  }

  /// The character at `index`, below `count`.
  package subscript(_ index: Int) -> UInt8 { bytes[index] }
}

extension LogLine {
  package mutating func append(_ text: DriveText) {
    for index in 0..<text.count { append(byte: text[index]) }
  }

  @_disfavoredOverload
  package mutating func appendInterpolation(_ text: DriveText) { append(text) }
}
