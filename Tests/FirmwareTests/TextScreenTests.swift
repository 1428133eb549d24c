// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

private func area(mode: UInt8, columns: UInt16 = 80, lastRow: UInt8 = 24) -> TestMemory {
  var memory = TestMemory(size: 0x1000)
  memory.put(UInt16(0x3f8), at: 0x400)
  memory.put(UInt16(0x2e8), at: 0x406)
  memory.put(mode, at: 0x449)
  memory.put(columns, at: 0x44a)
  memory.put(lastRow, at: 0x484)
  return memory
}

private func screen(mode: UInt8, columns: UInt16 = 80, lastRow: UInt8 = 24) -> TextScreen? {
  BIOSDataArea(in: area(mode: mode, columns: columns, lastRow: lastRow)).flatMap { TextScreen($0) }
}

private let usual = TextScreen(at: PhysicalAddress(0xb_8000), columns: 80, rows: 25)

@Suite struct TextScreenTests {
  @Test func `a BIOS says where characters are shown, and which serial ports it found`() throws {
    #expect(screen(mode: 3) == usual)
    #expect(screen(mode: 7) == TextScreen(at: PhysicalAddress(0xb_0000), columns: 80, rows: 25))
    #expect(screen(mode: 3, lastRow: 0) == usual)
    #expect(screen(mode: 2, lastRow: 49) == TextScreen(at: PhysicalAddress(0xb_8000), columns: 80, rows: 50))
    let ports = try #require(BIOSDataArea(in: area(mode: 3))).serialPorts
    #expect((0..<4).map { ports[$0] } == [0x3f8, 0, 0, 0x2e8])
  }

  @Test func `who looks for a serial port is told of the one that the BIOS found`() throws {
    let found = try #require(BIOSDataArea(in: area(mode: 3)))
    #expect(found.hint(for: 0x3f8) == nil)
    #expect(found.hint(for: 0x2e8) == nil)
    let hint = try #require(found.hint(for: 0x2f8))
    let text = String(decoding: (0..<hint.count).map { hint.bytes[$0] }, as: UTF8.self)
    #expect(text == "the BIOS found no serial port at 0x2f8, but one at 0x3f8")
    // A BIOS that found none, or no BIOS, knows nothing.
    #expect(try #require(BIOSDataArea(in: TestMemory(size: 0x1000))).hint(for: 0x2f8) == nil)
  }

  @Test func `where there is no text, nothing is written`() {
    for mode in [0, 1, 4, 6, 0x12, 0x13, 0xff] as [UInt8] { #expect(screen(mode: mode) == nil) }
    for columns in [0, 19, 133, .max] as [UInt16] { #expect(screen(mode: 3, columns: columns) == nil) }
    for lastRow in [1, 8, 60, .max] as [UInt8] { #expect(screen(mode: 3, lastRow: lastRow) == nil) }
    #expect(BIOSDataArea(in: TestMemory(size: 0x4ff)) == nil)
    for address in [0, 0x9_ffff, 0xb_ffff, 0xc_0000, .max] as [UInt64] {
      #expect(TextScreen(at: PhysicalAddress(address), columns: 80, rows: 25) == nil)
    }
  }

  /// The tags of a loader, and the screen that comes of them on a machine whose BIOS left mode 3.
  private func loaded(_ tags: [[UInt8]]) throws -> TextScreen? {
    var memory = area(mode: 3)
    let map = bytes(UInt32(6)) + bytes(UInt32(16)) + bytes(UInt32(24)) + bytes(UInt32(0))
    let content = (tags + [map]).flatMap { $0 + [UInt8](repeating: 0, count: -$0.count & 7) } + bytes(UInt64(8) << 32)
    memory.put(bytes(UInt32(content.count + 8)) + [0, 0, 0, 0] + content, at: 0x800)
    return try BootInformation(multiboot2: PhysicalAddress(0x800), in: memory).textScreen(in: memory)
  }

  private func frame(_ kind: UInt8, columns: UInt32 = 80, address: UInt64 = 0xb_8000) -> [UInt8] {
    bytes(UInt32(8)) + bytes(UInt32(32)) + bytes(address) + bytes(UInt32(160)) + bytes(columns) + bytes(UInt32(25))
      + [16, kind, 0, 0]
  }

  @Test func `what the loader says of the screen counts before what the BIOS left`() throws {
    #expect(try loaded([]) == usual)
    #expect(try loaded([frame(2)]) == usual)
    #expect(try loaded([frame(2, columns: 40)])?.columns == 40)
    for kind in [0, 1, 3] as [UInt8] { #expect(try loaded([frame(kind)]) == nil) }
    #expect(try loaded([frame(2, columns: .max)]) == nil)
    #expect(try loaded([frame(2, address: 0x10_0000)]) == nil)
    #expect(try loaded([Array(frame(2).prefix(4)) + bytes(UInt32(24)) + [UInt8](repeating: 0, count: 16)]) == nil)
  }

  @Test(arguments: [11, 12, 18, 19, 20] as [UInt32])
  func `after a start by UEFI there is no text`(tag: UInt32) throws {
    #expect(try loaded([frame(2), bytes(tag) + bytes(UInt32(16)) + bytes(UInt64(0))]) == nil)
  }
}

@Suite struct TextCursorTests {
  private let small = TextScreen(at: PhysicalAddress(0xb_8000), columns: 20, rows: 10)

  /// What `text` leaves on a screen of 20 by 10, without the blanks on the right.
  private func shown(_ text: String) throws -> [String] {
    let screen = try #require(small)
    var cells = [UInt16](repeating: 0x0720, count: 200)
    var cursor = TextCursor(screen, row: 0, column: 0)
    for byte in text.utf8 { cursor.put(byte, load: { cells[$0] }, store: { cells[$0] = $1 }) }
    #expect(cells.allSatisfy { $0 >> 8 == 7 })
    return stride(from: 0, to: 200, by: 20).map { row in
      let line = String(decoding: cells[row..<row + 20].map { UInt8($0 & 0xff) }, as: UTF8.self)
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  @Test func `lines end where they end, or at the edge`() throws {
    #expect(try shown("one\r\ntwo\r\n\tx").prefix(4) == ["one", "two", "?x", ""])
    #expect(try shown("abcdefghijklmnopqrstuvw").prefix(2) == ["abcdefghijklmnopqrst", "uvw"])
    #expect(try shown("one\rtwo")[0] == "two")
  }

  @Test func `below the last line all others move up`() throws {
    let text = (1...12).map { "line \($0)\r\n" }.joined()
    #expect(try shown(text) == (4...12).map { "line \($0)" } + [""])
  }

  @Test func `no place and no byte leads out of the screen`() throws {
    var random = SplitMix64(seed: 21)
    for _ in 0..<fuzzRounds(200) {
      let columns = Int(random.next() % 200)
      let rows = Int(random.next() % 80)
      guard let screen = TextScreen(at: PhysicalAddress(0xb_8000), columns: columns, rows: rows) else { continue }
      #expect(screen.address.value + UInt64(2 * columns * rows) <= 0xc_0000)
      var cursor = TextCursor(
        screen, row: Int(truncatingIfNeeded: random.hostile()), column: Int(truncatingIfNeeded: random.hostile()))
      let cells = 0..<columns * rows
      for _ in 0..<columns * 3 {
        cursor.put(
          UInt8(truncatingIfNeeded: random.next()),
          load: { cell in
            #expect(cells.contains(cell))
            return 0
          }, store: { cell, _ in #expect(cells.contains(cell)) })
      }
    }
  }

  @Test func `no memory makes a screen that reaches beyond those of screens`() {
    var random = SplitMix64(seed: 22)
    var memory = TestMemory(size: 0x1000)
    for _ in 0..<fuzzRounds(500) {
      for place in 0x400..<0x500 { memory.content[place] = UInt8(truncatingIfNeeded: random.next()) }
      memory.content[0x449] = random.next() % 2 == 0 ? 3 : 7
      guard let screen = BIOSDataArea(in: memory).flatMap({ TextScreen($0) }) else { continue }
      #expect(screen.address.value >= 0xa_0000)
      #expect(screen.address.value + UInt64(2 * screen.columns * screen.rows) <= 0xc_0000)
    }
  }
}
