// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What is wrong with an ELF file.
package enum ELFFileError: Error, Equatable, CustomStringConvertible {
  case notELF
  case damaged

  package var description: String {
    switch self {
    case .notELF: "it is not an ELF file for x86-64"
    case .damaged: "a table of it lies outside the file"
    }
  }
}

/// An ELF file of our own build: its loadable segments and its functions (System V ABI, chapters 4 and 5).
struct ELFFile {
  private let bytes: [UInt8]
  private static let headerSize = 64
  private static let programHeaderSize = 56
  private static let sectionHeaderSize = 64
  private static let symbolSize = 24
  private static let page: UInt64 = 4096

  init(_ bytes: [UInt8]) throws(ELFFileError) {
    // "\u{7F}ELF", 64 bits, little-endian, version 1; x86-64.
    guard bytes.count >= Self.headerSize, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]),
      bytes.load(18, as: UInt16.self) == 62
    else { throw .notELF }
    self.bytes = bytes
  }

  /// The file with nothing but what a loader reads: header, loadable segments, and each segment's bytes.
  /// - Parameter notes: Whether its notes are kept, by which QEMU knows a kernel.
  func stripped(notes: Bool = false) throws(ELFFileError) -> [UInt8] {
    var headers = try programHeaders().filter { header in
      let type = header.load(0, as: UInt32.self)
      return type == 1 || notes && type == 4  // PT_LOAD, PT_NOTE
    }
    var contents = [UInt8]()
    let start = Self.headerSize + headers.count * Self.programHeaderSize
    for index in headers.indices {
      guard let offset = headers[index].load(8, as: UInt64.self), let size = headers[index].load(32, as: UInt64.self),
        let address = headers[index].load(16, as: UInt64.self), let segment = slice(offset, count: size)
      else { throw .damaged }
      // Offset and address must agree within a page, so that pages of the file are pages of memory.
      let position = start + contents.count
      let aligned = (position + 4095) & ~4095 + Int(address % Self.page)
      contents.append(contentsOf: repeatElement(0, count: aligned - position))
      contents.append(contentsOf: segment)
      headers[index].store(UInt64(aligned), at: 8)
    }
    return strippedHeader(programHeaders: headers.count) + headers.joined() + contents
  }

  private func strippedHeader(programHeaders count: Int) -> [UInt8] {
    var header = Array(bytes.prefix(Self.headerSize))
    header.store(UInt64(Self.headerSize), at: 32)  // e_phoff
    header.store(UInt64(0), at: 40)  // e_shoff
    header.store(UInt16(Self.programHeaderSize), at: 54)
    header.store(UInt16(count), at: 56)
    for offset in [58, 60, 62] { header.store(UInt16(0), at: offset) }  // the section headers
    return header
  }

  /// A function's mangled name and place.
  struct Function: Equatable {
    var name: String
    var address: UInt64
    /// 0 if the file does not say.
    var size: UInt64
    var isGlobal: Bool
    /// Where the code ends that the function is in.
    var limit: UInt64
  }

  /// The functions of the symbol table, in its order; none if the file has no symbol table.
  func functions() throws(ELFFileError) -> [Function] {
    let sections = try sectionHeaders()
    guard let table = sections.first(where: { $0.load(4, as: UInt32.self) == 2 }) else { return [] }  // SHT_SYMTAB
    guard let names = section(sections, table.load(40, as: UInt32.self)), let symbols = contents(of: table),
      let strings = contents(of: names)
    else { throw .damaged }
    return stride(from: 0, to: symbols.count - Self.symbolSize + 1, by: Self.symbolSize).compactMap { offset in
      function(Array(symbols[(symbols.startIndex + offset)...].prefix(Self.symbolSize)), sections, strings)
    }
  }

  /// The function that a symbol is; `nil` for other symbols. Assembly's labels have no type, but lie in code.
  private func function(_ symbol: [UInt8], _ sections: [[UInt8]], _ strings: ArraySlice<UInt8>) -> Function? {
    guard let nameOffset = symbol.load(0, as: UInt32.self), let information = symbol.load(4, as: UInt8.self),
      let index = symbol.load(6, as: UInt16.self), let address = symbol.load(8, as: UInt64.self),
      let size = symbol.load(16, as: UInt64.self),
      let section = section(sections, UInt32(index)), let flags = section.load(8, as: UInt64.self),
      index != 0, flags & 4 != 0,  // SHF_EXECINSTR
      information & 0xf == 2 || (information & 0xf == 0 && information >> 4 == 1)  // STT_FUNC, or a global STT_NOTYPE
    else { return nil }
    let name = strings.dropFirst(Int(nameOffset)).prefix { $0 != 0 }
    // Linker scripts define symbols in a section's name that lie outside it.
    guard !name.isEmpty, let start = section.load(16, as: UInt64.self), let length = section.load(32, as: UInt64.self),
      address >= start, address - start < length
    else { return nil }
    return Function(
      name: String(decoding: name, as: UTF8.self), address: address, size: size, isGlobal: information >> 4 == 1,
      limit: start &+ length)
  }
}

// MARK: - Tables

extension ELFFile {
  private func programHeaders() throws(ELFFileError) -> [[UInt8]] {
    try table(offsetAt: 32, sizeAt: 54, countAt: 56, entrySize: Self.programHeaderSize)
  }

  private func sectionHeaders() throws(ELFFileError) -> [[UInt8]] {
    try table(offsetAt: 40, sizeAt: 58, countAt: 60, entrySize: Self.sectionHeaderSize)
  }

  /// The entries of a table whose offset, entry size and count stand at these places of the header.
  private func table(offsetAt: Int, sizeAt: Int, countAt: Int, entrySize: Int) throws(ELFFileError) -> [[UInt8]] {
    guard let offset = bytes.load(offsetAt, as: UInt64.self), let size = bytes.load(sizeAt, as: UInt16.self),
      let count = bytes.load(countAt, as: UInt16.self)
    else { throw .damaged }
    guard count > 0 else { return [] }
    guard Int(size) == entrySize, let all = slice(offset, count: UInt64(count) * UInt64(size)) else { throw .damaged }
    return (0..<Int(count)).map { Array(all.dropFirst($0 * entrySize).prefix(entrySize)) }
  }

  private func section(_ sections: [[UInt8]], _ index: UInt32?) -> [UInt8]? {
    guard let index, index < sections.count else { return nil }
    return sections[Int(index)]
  }

  private func contents(of section: [UInt8]) -> ArraySlice<UInt8>? {
    guard let offset = section.load(24, as: UInt64.self), let size = section.load(32, as: UInt64.self) else {
      return nil
    }
    return slice(offset, count: size)
  }

  private func slice(_ offset: UInt64, count: UInt64) -> ArraySlice<UInt8>? {
    guard fits(offset, count: count, in: UInt64(bytes.count)) else { return nil }
    return bytes[Int(offset)..<Int(offset + count)]
  }
}

extension [UInt8] {
  /// Stores a little-endian number at `offset`, which the caller knows to be inside.
  fileprivate mutating func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    for index in 0..<MemoryLayout<T>.size {
      self[offset + index] = UInt8(truncatingIfNeeded: value >> (T(index) * 8))
    }
  }
}
