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
    for _ in 0..<30 { line.append("12345") }
    line.append(ShortName("more"))
    #expect(line.count == 112)
    #expect(text(line).hasSuffix("12345" + "12"))
  }

  @Test func `text of others cannot carry control characters`() {
    var line = LogLine()
    let content: [UInt8] = [0x41, 0x1b, 0x5b, 0x0a, 0x7f, 0x80, 0xff, 0x7e]
    line.append(printable: content.span.bytes)
    #expect(text(line) == "A?[????~")
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
