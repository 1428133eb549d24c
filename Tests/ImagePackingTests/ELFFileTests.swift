// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ImagePacking

@Test func `a stripped file keeps every byte of its segments and little else`() throws {
  var made = MadeELF()
  made.segments[2].address += 0x10

  let stripped = try ELFFile(made.bytes).stripped()

  #expect(stripped.load(24, as: UInt64.self) == 0x40_0000)  // e_entry
  #expect(stripped.load(32, as: UInt64.self) == 64)  // e_phoff
  #expect(stripped.load(40, as: UInt64.self) == 0)  // e_shoff
  #expect(stripped.load(56, as: UInt16.self) == 3)  // e_phnum: the note is gone
  #expect(stripped.load(60, as: UInt16.self) == 0)  // e_shnum
  for (index, segment) in made.segments.enumerated() {
    let header = 64 + index * 56
    let offset = Int(try #require(stripped.load(header + 8, as: UInt64.self)))
    #expect(UInt64(offset) % 4096 == segment.address % 4096)
    #expect(stripped.load(header + 4, as: UInt32.self) == segment.flags)
    #expect(stripped.load(header + 16, as: UInt64.self) == segment.address)
    #expect(stripped.load(header + 40, as: UInt64.self) == segment.memorySize)
    #expect(Array(stripped[offset...].prefix(segment.bytes.count)) == segment.bytes)
  }
  #expect(stripped.count == 0x3013)
}

@Test func `stripping a stripped file changes nothing`() throws {
  let stripped = try ELFFile(MadeELF().bytes).stripped()

  #expect(try ELFFile(stripped).stripped() == stripped)
  #expect(try ELFFile(stripped).functions().isEmpty)
}

@Test func `functions and labels of code are found, data is not`() throws {
  let functions = try ELFFile(MadeELF().bytes).functions()

  #expect(
    functions == [
      ELFFile.Function(name: "$s3VMM3runyyF", address: 0x40_0010, size: 16, isGlobal: true, limit: 0x40_0064),
      ELFFile.Function(name: "start", address: 0x40_0000, size: 0, isGlobal: true, limit: 0x40_0064),
    ])
}

@Test func `a symbol outside its section is no function`() throws {
  var made = MadeELF()
  made.symbols.append(.init(name: "entry_address", address: 0x1000, information: 0x10))
  made.symbols.append(.init(name: "text_end", address: 0x40_0064, information: 0x10))

  #expect(try ELFFile(made.bytes).functions().map(\.name) == ["$s3VMM3runyyF", "start"])
}

@Test func `what is not an ELF file is refused`() {
  var other = MadeELF().bytes
  other[18] = 3  // EM_386

  #expect(throws: ELFFileError.notELF) { try ELFFile([]) }
  #expect(throws: ELFFileError.notELF) { try ELFFile(Array("#!/bin/sh".utf8)) }
  #expect(throws: ELFFileError.notELF) { try ELFFile(other) }
}

@Test(arguments: [0, 8, 32, 40, 54, 56, 58])
func `a table outside the file is refused`(offset: Int) throws {
  var bytes = MadeELF().bytes
  if offset >= 32 {
    bytes[offset] = 0xff
    bytes[offset + 1] = 0xff
  } else {
    // The first loadable segment's own offset.
    bytes.replaceSubrange((64 + 56 + 8)..<(64 + 56 + 16), with: le(UInt64.max - UInt64(offset)))
  }

  #expect(throws: ELFFileError.damaged) {
    let elf = try ELFFile(bytes)
    _ = try elf.stripped()
    _ = try elf.functions()
  }
}

@Test func `no byte of its tables makes a damaged file a trap`() {
  let good = MadeELF().bytes
  let tables = Array(16..<(64 + 4 * 56)) + Array((good.count - 5 * 64 - 120)..<good.count)
  for index in tables {
    var bytes = good
    bytes[index] = ~bytes[index]
    guard let elf = try? ELFFile(bytes) else { continue }
    _ = try? elf.stripped()
    _ = try? SymbolFile.make(from: elf)
  }
}
