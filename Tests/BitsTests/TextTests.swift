// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

private func text(_ line: LogLine) -> String {
  String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
}

@Suite struct LogLineTests {
  @Test func `words, numbers and names stand in one line`() {
    let name = ShortName("vm0")
    let reason: StaticString = "halt"
    #expect(
      text("\(name): exit \(reason) at \(hex: UInt64(0xfee0_0000)), \(-3) of \(42)")
        == "vm0: exit halt at 0xfee00000, -3 of 42")
  }

  @Test func `numbers at the ends of their types are whole`() {
    #expect(text("\(UInt64.max) \(Int64.min) \(0)") == "18446744073709551615 -9223372036854775808 0")
    #expect(text("\(hex: UInt64.max)") == "0xffffffffffffffff")
    #expect(text("\(Int8.min)") == "-128")
  }

  @Test func `a width pads with zeros and never cuts`() {
    #expect(text("\(hex: UInt8(5), width: 2) \(hex: UInt16(0x1234), width: 2)") == "0x05 0x1234")
    #expect(text("\(hex: UInt8(5), width: 99)").count == 22)
  }

  @Test func `what does not fit is cut`() {
    var line: LogLine = ""
    for _ in 0..<60 { line.append("12345") }
    line.append(ShortName("more"))
    #expect(line.count == 224)
    #expect(text(line).hasSuffix("12345" + "1234"))
  }

  private func rows(_ line: LogLine) -> [String] {
    var rows = LogRows(line)
    var texts: [String] = []
    while let row = rows.next(), texts.count < 10 { texts.append(text(row)) }
    return texts
  }

  private func words(_ count: Int, of length: Int, indentedBy blanks: Int = 0) -> LogLine {
    var line = LogLine()
    line.pad(to: blanks)
    for index in 0..<count {
      if index > 0 { line.append(" ") }
      for _ in 0..<length { line.append("x") }
    }
    return line
  }

  @Test func `a message that fits is one row`() {
    #expect(rows("") == [""])
    #expect(rows("  two words") == ["  two words"])
    #expect(rows(words(1, of: 112)).map(\.count) == [112])
    #expect(rows(words(14, of: 7)).map(\.count) == [111])
  }

  @Test func `a longer one goes on below, cut between words`() {
    #expect(rows(words(16, of: 7)).map(\.count) == [111, 2 + 15])
    #expect(rows(words(2, of: 70, indentedBy: 2)) == ["  " + .x(70), "    " + .x(70)])
    #expect(rows(words(25, of: 8)) == [.x(12, of: 8), "  " + .x(12, of: 8), "  " + .x(8)])
    // The blank at the cut is where the row is full.
    #expect(rows(words(2, of: 112)).map(\.count) == [112, 2 + 110, 2 + 1])
  }

  @Test func `a word that is too long is cut where the row is full`() {
    #expect(rows(words(1, of: 113)) == [.x(112), "  x"])
    #expect(rows(words(1, of: 224)).map(\.count) == [112, 112, 4])
    #expect(rows(words(2, of: 50)).map(\.count) == [101])
    // A blank in the first half would leave most of the row empty.
    var line: LogLine = "short "
    for _ in 0..<150 { line.append("x") }
    #expect(rows(line) == ["short " + .x(106), "  " + .x(44)])
  }

  @Test func `text of others cannot carry control characters`() {
    var line = LogLine()
    let content: [UInt8] = [0x41, 0x1b, 0x5b, 0x0a, 0x7f, 0x80, 0xff, 0x7e]
    line.append(printable: content.span.bytes)
    #expect(text(line) == "A?[????~")
  }
}

extension String {
  fileprivate static func x(_ count: Int) -> String { String(repeating: "x", count: count) }

  fileprivate static func x(_ words: Int, of length: Int) -> String {
    [String](repeating: x(length), count: words).joined(separator: " ")
  }
}

@Suite struct ShortNameTests {
  @Test func `a name holds 24 characters and cuts the rest`() {
    let name = ShortName("abcdefghijklmnopqrstuvwxyz")
    #expect(name.count == 24)
    #expect(text("\(name)") == "abcdefghijklmnopqrstuvwx")
    #expect(ShortName("").count == 0)
    #expect(ShortName() == ShortName(""))
  }

  @Test func `bytes end at the first zero`() {
    let content: [UInt8] = [0x76, 0x6d, 0, 0x31]
    #expect(ShortName(content.span.bytes) == ShortName("vm"))
    let long = [UInt8](repeating: 0x61, count: 100)
    #expect(ShortName(long.span.bytes).count == 24)
  }

  @Test func `names differ in any character`() {
    #expect(ShortName("vm0") != ShortName("vm1"))
    #expect(ShortName("vm") != ShortName("vm0"))
  }
}
