// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

@testable import ImagePacking

/// An ELF file made by hand, as a linker would lay it out.
struct MadeELF {
  struct Segment {
    var address: UInt64
    var bytes: [UInt8]
    var memorySize: UInt64
    var flags: UInt32
  }

  struct Symbol {
    var name: String
    var address: UInt64
    var size: UInt64 = 0
    /// Binding in the high, type in the low half: 0x12 is a global function, 0x02 a local one, 0x10 a global label.
    var information: UInt8 = 0x12
    /// 1 is the code, 2 the data.
    var section: UInt16 = 1
  }

  var segments: [Segment] = [
    Segment(address: 0x40_0000, bytes: Array(repeating: 0xc3, count: 100), memorySize: 100, flags: 5),
    Segment(address: 0x40_1000, bytes: Array("constants".utf8), memorySize: 9, flags: 4),
    Segment(address: 0x40_2000, bytes: [1, 2, 3], memorySize: 0x5000, flags: 6),
  ]
  var symbols: [Symbol] = [
    Symbol(name: "$s3VMM3runyyF", address: 0x40_0010, size: 16),
    Symbol(name: "start", address: 0x40_0000, information: 0x10),
    Symbol(name: "table", address: 0x40_1000, size: 9, information: 0x11, section: 2),
  ]

  /// The file: header, program headers, segments, debug text, symbols, names, section headers.
  var bytes: [UInt8] {
    var offsets: [Int] = []
    var contents: [UInt8] = []
    let start = 64 + (segments.count + 1) * 56
    for segment in segments {
      let position = start + contents.count
      let aligned = (position + 4095) & ~4095 + Int(segment.address % 4096)
      contents += Array(repeating: 0xee, count: aligned - position) + segment.bytes
      offsets.append(aligned)
    }
    contents += Array(String(repeating: "debug information ", count: 20).utf8)
    let (symbolTable, names) = symbolSections
    let symbolOffset = start + contents.count
    contents += symbolTable + names
    let sections = start + contents.count
    contents += sectionHeaders(symbols: symbolOffset, symbolTable.count, names.count)
    return header(sections: sections) + programHeaders(offsets) + contents
  }

  private func header(sections: Int) -> [UInt8] {
    let identification: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + Array(repeating: 0, count: 9)
    // e_type, e_machine, e_version; e_entry, e_phoff, e_shoff; e_flags; the sizes and counts.
    var header = identification + le(UInt16(2)) + le(UInt16(62)) + le(UInt32(1))
    for word in [0x40_0000, 64, UInt64(sections)] { header += le(word) }
    header += le(UInt32(0))
    for half in [64, 56, UInt16(segments.count + 1), 64, 5, 4] { header += le(half) }
    return header
  }

  private func programHeaders(_ offsets: [Int]) -> [UInt8] {
    // A note, which loaders of components do not read.
    var headers = le(UInt32(4)) + le(UInt32(4)) + Array(repeating: 0, count: 48)
    for (segment, offset) in zip(segments, offsets) {
      headers += le(UInt32(1)) + le(segment.flags)
      let count = UInt64(segment.bytes.count)
      for word in [UInt64(offset), segment.address, segment.address, count, segment.memorySize, 4096] {
        headers += le(word)
      }
    }
    return headers
  }

  private var symbolSections: (table: [UInt8], names: [UInt8]) {
    var table = [UInt8](repeating: 0, count: 24)
    var names: [UInt8] = [0]
    for symbol in symbols {
      table += le(UInt32(names.count)) + [symbol.information, 0] + le(symbol.section) + le(symbol.address)
      table += le(symbol.size)
      names += Array(symbol.name.utf8) + [0]
    }
    return (table, names)
  }

  private func sectionHeaders(symbols offset: Int, _ size: Int, _ namesSize: Int) -> [UInt8] {
    func section(
      _ type: UInt32, flags: UInt64 = 0, at address: UInt64 = 0, _ offset: Int = 0, _ size: Int = 0, link: UInt32 = 0
    ) -> [UInt8] {
      var header = le(UInt32(0)) + le(type)
      for word in [flags, address, UInt64(offset), UInt64(size)] { header += le(word) }
      header += le(link) + le(UInt32(0))
      for word: UInt64 in [8, 0] { header += le(word) }
      return header
    }
    return section(0) + section(1, flags: 6, at: 0x40_0000, 0, 100)
      + section(1, flags: 2, at: 0x40_1000, 0, 9) + section(2, offset, size, link: 4)
      + section(3, offset + size, namesSize)
  }
}

/// The little-endian bytes of a number.
func le<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> (T($0) * 8)) }
}
