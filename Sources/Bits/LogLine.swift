// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// One message of at most 224 characters, put together on the stack: what `log` takes, everywhere on the target. A long
/// one is shown in several rows (`LogRows`).
package struct LogLine: ExpressibleByStringInterpolation, ExpressibleByStringLiteral, Sendable {
  package static var capacity: Int { 224 }
  /// Characters of a row as it is kept and shown.
  package static var rowCapacity: Int { 112 }

  package private(set) var bytes: InlineArray<224, UInt8> = InlineArray(repeating: 0)
  package private(set) var count = 0

  package init() {}
  package init(stringLiteral text: StaticString) { append(text) }
  package init(stringInterpolation line: LogLine) { self = line }

  /// Adds one character; what does not fit is cut.
  package mutating func append(byte: UInt8) {
    guard count < Self.capacity else { return }
    bytes[count] = byte
    count += 1
  }

  package mutating func append(_ text: StaticString) {
    // SAFETY: index is below the literal's length.
    for index in 0..<text.utf8CodeUnitCount { append(byte: unsafe text.utf8Start[index]) }
  }

  @_disfavoredOverload
  package mutating func append(_ name: ShortName) {
    for index in 0..<name.count { append(byte: name.bytes[index]) }
  }

  /// Adds a byte as others wrote it: what is not printable ASCII becomes a question mark.
  package mutating func append(printable byte: UInt8) { append(byte: (0x20...0x7e).contains(byte) ? byte : 0x3f) }

  /// Adds text as others wrote it.
  package mutating func append(printable text: borrowing RawSpan) {
    for index in 0..<text.byteCount {
      guard let byte = text.load(index, as: UInt8.self) else { return }
      append(printable: byte)
    }
  }

  /// Adds a name as others wrote it.
  package mutating func append(printable name: ShortName) {
    for index in 0..<name.count { append(printable: name.bytes[index]) }
  }

  /// Adds a number; `radix` is at most 16, `width` pads with zeros.
  package mutating func append(magnitude: UInt64, radix: UInt64, width: Int = 1) {
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var rest = magnitude
    var used = 0
    while used < 20, rest != 0 || used < max(width, 1) {
      let digit = UInt8(truncatingIfNeeded: rest % radix)
      digits[used] = digit < 10 ? 0x30 + digit : 0x57 + digit
      rest /= radix
      used += 1
    }
    while used > 0 {
      used -= 1
      append(byte: digits[used])
    }
  }
}

extension LogLine: StringInterpolationProtocol {
  package init(literalCapacity: Int, interpolationCount: Int) {}

  package mutating func appendLiteral(_ literal: StaticString) { append(literal) }

  package mutating func appendInterpolation<T: FixedWidthInteger>(_ value: T) {
    if value < 0 { append(byte: 0x2d) }
    append(magnitude: UInt64(truncatingIfNeeded: value.magnitude), radix: 10)
  }

  /// A number in hexadecimal, with `0x`.
  package mutating func appendInterpolation<T: FixedWidthInteger & UnsignedInteger>(hex value: T, width: Int = 1) {
    appendLiteral("0x")
    append(magnitude: UInt64(truncatingIfNeeded: value), radix: 16, width: width)
  }

  @_disfavoredOverload
  package mutating func appendInterpolation(_ name: ShortName) { append(name) }
  package mutating func appendInterpolation(_ text: StaticString) { append(text) }
  /// Another line, as far as there is room.
  package mutating func appendInterpolation(_ line: LogLine) {
    for index in 0..<line.count { append(byte: line.bytes[index]) }
  }
}
