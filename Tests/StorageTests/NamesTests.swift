// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Storage

/// Checksums, identifiers and names.
struct NamesTests {
  @Test func `the checksum is that of UEFI`() {
    var sum = CRC32()
    sum.add(Array("123456789".utf8).span.bytes)
    #expect(sum.value == 0xcbf4_3926)
    #expect(CRC32().value == 0)

    var zeros = CRC32()
    zeros.add(zeros: 16384)
    #expect(zeros.value == checksum([UInt8](repeating: 0, count: 16384)))
  }

  @Test func `a GUID's first three groups stand the other way round on disk`() throws {
    let text = "c12a7328-F81F-11d2-ba4b-00a0c93ec93b"
    let parsed = try #require(guid(text))
    #expect(
      (0..<16).map { parsed.bytes[$0] } == [
        0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
      ])
    #expect(parsed == GUID(0xc12a_7328, 0xf81f, 0x11d2, 0xba4b, 0x00a0_c93e_c93b))
    var line = LogLine()
    parsed.write(to: &line)
    #expect(line.text == text.lowercased())
  }

  @Test(arguments: [
    "", "c12a7328", "c12a7328-f81f-11d2-ba4b-00a0c93ec93", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b0",
    "c12a7328_f81f-11d2-ba4b-00a0c93ec93b", "g12a7328-f81f-11d2-ba4b-00a0c93ec93b",
    "{12a7328-f81f-11d2-ba4b-00a0c93ec93}", "c12a73-28f81f-11d2-ba4b-00a0c93ec93b",
  ])
  func `what is no GUID is none`(text: String) { #expect(guid(text) == nil) }

  @Test func `an identifier is a GUID or a signature with a number`() {
    #expect(identifier("1234abcd-0a") == .mbr(signature: 0x1234_abcd, number: 10))
    let text = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
    #expect(identifier(text) == guid(text).map { .guid($0) })
    for text in ["1234abcd-", "1234abcd-1", "1234abcd-001", "1234abcd:01", "x234abcd-01", "1234abcd-0x"] {
      #expect(identifier(text) == nil, "\(text)")
    }
    var line = LogLine()
    PartitionIdentifier.mbr(signature: 0xabc, number: 7).write(to: &line)
    #expect(line.text == "00000abc-07")
  }

  @Test(arguments: ["", "root", "Größe", "日本語", "a😀b", String(repeating: "x", count: 36)])
  func `a name is the same in UTF-8 and UTF-16`(text: String) throws {
    let units = Array(text.utf16) + [0]
    let bytes = units.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    let stored = PartitionName(utf16: bytes.span.bytes, at: 0)

    #expect(stored.count == text.utf16.count)
    #expect(try #require(name(text)) == stored)
  }

  @Test func `a name that does not fit or is no UTF-8 is none`() {
    #expect(name(String(repeating: "x", count: 37)) == nil)
    #expect(name(String(repeating: "x", count: 35) + "😀") == nil)
    let wrong: [[UInt8]] = [
      [0x80], [0xc0, 0x80], [0xc3], [0xc3, 0x28], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0x80],
      [0xf4, 0x90, 0x80, 0x80], [0xff], [0x41, 0x00],
    ]
    for bytes in wrong { #expect(PartitionName(utf8: bytes.span.bytes) == nil, "\(bytes)") }
  }

  @Test func `a name is shown in printable characters`() {
    var line = LogLine()
    name("a\u{1b}ü b")?.write(to: &line)
    #expect(line.text == "a?? b")
  }

  @Test func `an impossibly large disk is refused`() {
    #expect(DiskGeometry(sectorSize: .bytes512, sectorCount: 1 << 54) == nil)
    #expect(DiskGeometry(sectorSize: .bytes512, sectorCount: (1 << 54) - 1) != nil)
    #expect(DiskGeometry(sectorSize: .bytes4096, sectorCount: .max) == nil)
  }
}
