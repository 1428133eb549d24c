// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import GuestImage

/// The newc format (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
struct CPIOArchiveTests {
  private func text(_ archive: CPIOArchive) -> String {
    String(decoding: archive.bytes.map { $0 == 0 ? UInt8(ascii: "~") : $0 }, as: UTF8.self)
  }

  private let trailer =
    "07070100000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000B00000000"
    + "TRAILER!!!~~~~"

  @Test func `an empty archive is its trailer`() {
    #expect(text(CPIOArchive()) == trailer)
  }

  @Test func `a file carries its bytes, padded to four`() {
    var archive = CPIOArchive()
    archive.add(CPIOEntry("hi", 0o644, .file(Array("hello".utf8))))

    #expect(
      text(archive)
        == "07070100000001000081A4000000000000000000000001000000000000000500000000000000000000000000000000"
        + "0000000300000000hi~~~~hello~~~" + trailer)
  }

  @Test func `a device has its numbers, a link its target`() {
    var archive = CPIOArchive()
    archive.add(CPIOEntry("tty", 0o600, .characterDevice(major: 5, minor: 1)))
    archive.add(CPIOEntry("sh", 0o777, .symbolicLink(to: "busybox")))

    #expect(
      text(archive)
        == "070701000000010000A1FF000000000000000000000001000000000000000700000000000000000000000000000000"
        + "0000000300000000sh~~~~busybox~"
        + "0707010000000200002180000000000000000000000001000000000000000000000000000000000000000500000001"
        + "0000000400000000tty~~~" + trailer)
  }

  @Test func `directories come before what is in them, and once`() throws {
    var archive = CPIOArchive()
    archive.add(CPIOEntry("a/b/d", 0o644, .file([])))
    archive.add(CPIOEntry("a/b/c", 0o644, .file([])))
    archive.add(CPIOEntry("a/b", 0o700, .directory))

    let names = text(archive).split(separator: "070701").map { entry in
      entry.dropFirst(104).prefix { $0 != "~" }
    }
    #expect(names == ["a", "a/b", "a/b/c", "a/b/d", "TRAILER!!!"])
    #expect(text(archive).contains("000041C0"))
  }

  @Test func `the same tree gives the same bytes in whatever order it was made`() {
    var first = CPIOArchive()
    var second = CPIOArchive()
    for name in ["x", "y", "z"] { first.add(CPIOEntry(name, 0o644, .file(Array(name.utf8)))) }
    for name in ["z", "x", "y"] { second.add(CPIOEntry(name, 0o644, .file(Array(name.utf8)))) }

    #expect(first.bytes == second.bytes)
  }

  @Test func `the hostname's segment is an archive of whole words with the name in it`() {
    let segment = GuestMaterial.hostnameSegment("vm2")

    #expect(segment.count % 4 == 0)
    #expect(segment.starts(with: "070701".utf8))
    #expect(String(decoding: segment, as: UTF8.self).contains("etc/hostname\0\0vm2\n"))
  }
}
