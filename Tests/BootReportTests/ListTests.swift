// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import BootReport

/// Lists in as many lines as they need, and the phases of booting, which are one.
struct ListTests {
  /// All lines of a list of these items.
  private static func lines(_ items: [LogLine]) -> [String] {
    var list = ReportList("servers")
    var lines = items.compactMap { list.add($0)?.text }
    if let line = list.end() { lines.append(line.text) }
    return lines
  }

  @Test func `a list has its subject once, and commas`() {
    #expect(Self.lines([]) == [])
    #expect(Self.lines(["a", "b"]) == ["  servers     a, b"])
  }

  @Test func `a long list goes on below`() {
    let lines = Self.lines((0..<16).map { "server\($0) on core \($0)" })

    #expect(lines.count == 4)
    #expect(lines[0].hasPrefix("  servers     server0 on core 0, ") && lines[0].hasSuffix(","))
    #expect(lines[1].hasPrefix("              server4 on core 4, "))
    #expect(lines.allSatisfy { $0.count <= 101 })
    #expect(lines.joined().split(separator: ",").count == 16)
  }

  @Test func `an item that is too long for any line is whole, and loses no other`() {
    let long: LogLine =
      "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
    let lines = Self.lines(["a", long, "b"])

    #expect(lines.count == 3)
    #expect(lines[1].count == 14 + long.count + 1)
    #expect(lines[2] == "              b")
  }

  private static func phases(_ ends: [(StaticString, UInt64)]) -> [String] {
    var phases = BootPhases()
    for (name, end) in ends { phases.end(name, at: end) }
    var lines: [String] = []
    phases.say(TimeScale(frequency: 1_000_000)) { lines.append($0.text) }
    return lines
  }

  @Test func `each phase has its time, and the last is when all is ready`() {
    #expect(
      Self.phases([("firmware and loader", 1_234_567), ("tables", 1_236_567), ("clock", 2_235_567)])
        == ["  phases      firmware and loader 1.23 s, tables 2 ms, clock 999 ms, ready 2.23 s after power-on"])
  }

  @Test func `a counter that goes back, and more phases than there is room for, do no harm`() {
    let lines = Self.phases([("a", 5_000), ("b", 3_000)] + (0..<20).map { ("c", 10_000 + $0 * 1000) })

    #expect(lines.first?.hasPrefix("  phases      a 5 ms, b 0 ms, c 7 ms, c 1 ms") == true)
    #expect(lines.last?.hasSuffix("ready 29 ms after power-on") == true)
  }
}
