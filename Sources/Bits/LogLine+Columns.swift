// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// How tables put words and numbers into columns: those of the console, and the kernel's boot report.
extension LogLine {
  /// Adds blanks up to `column`.
  package mutating func pad(to column: Int) {
    while count < min(column, Self.capacity) { append(byte: 0x20) }
  }

  /// Adds a word that ends before `column`.
  package mutating func append(_ word: StaticString, to column: Int) {
    pad(to: column - word.utf8CodeUnitCount)
    appendLiteral(word)
  }

  /// Adds a number whose last digit is in the column before `column`, with at least one blank before it if it is long.
  package mutating func append(number: UInt64, to column: Int) {
    var digits = 1
    var rest = number / 10
    while rest > 0 {
      digits += 1
      rest /= 10
    }
    if count > 0, count >= column - digits { append(byte: 0x20) }
    pad(to: column - digits)
    append(magnitude: number, radix: 10)
  }

  /// Adds a number of bytes as people write it, ending before `column`: whole below 1 KiB, else three digits or so.
  package mutating func append(bytes: UInt64, to column: Int) {
    guard bytes >= 1024 else {
      append(number: bytes, to: column - 2)
      appendLiteral(" B")
      return
    }
    var unit = 0
    var tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024
    while tenths >= 10_240, unit < 5 {
      tenths /= 1024
      unit += 1
    }
    if tenths < 100 {
      append(number: tenths / 10, to: column - 6)
      appendLiteral(".")
      append(magnitude: tenths % 10, radix: 10)
    } else {
      append(number: tenths / 10, to: column - 4)
    }
    appendLiteral(" ")
    appendLiteral(Self.unit(unit))
  }

  private static func unit(_ index: Int) -> StaticString {
    switch index {
    case 0: "KiB"
    case 1: "MiB"
    case 2: "GiB"
    case 3: "TiB"
    case 4: "PiB"
    default: "EiB"
    }
  }

  /// A number as once, twice, 3 times.
  package mutating func appendInterpolation(times number: UInt32) {
    switch number {
    case 1: appendLiteral("once")
    case 2: appendLiteral("twice")
    default:
      append(magnitude: UInt64(number), radix: 10)
      appendLiteral(" times")
    }
  }
}
