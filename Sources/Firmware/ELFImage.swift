// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// A program file that was checked: a static ELF64 executable for x86-64 whose segments can be mapped as they are.
///
/// Segments are whole pages, do not overlap, and none is writable and executable at once. The value holds no bytes,
/// only where they are.
package struct ELFImage: Sendable {
  package static var segmentCapacity: Int { 16 }

  package let entry: UInt64
  private var segments: InlineArray<16, ELFSegment> = InlineArray(repeating: ELFSegment())
  /// Segments to map, empty ones left out.
  package private(set) var segmentCount = 0

  /// The segment `index`, in the file's order.
  package func segment(_ index: Int) -> ELFSegment { segments[index] }
}

/// A piece of a program: `fileSize` bytes of the file, then zeros up to `memorySize`.
package struct ELFSegment: Equatable, Sendable, BitwiseCopyable {
  /// A multiple of 4096.
  package var address: UInt64 = 0
  package var memorySize: UInt64 = 0
  /// A multiple of 4096 unless `fileSize` is 0.
  package var fileOffset: UInt64 = 0
  package var fileSize: UInt64 = 0
  package var flags = ELFSegmentFlags.none

  /// The first address above its pages.
  var end: UInt64 { (address &+ memorySize).roundedUp(to: 4096) ?? .max }
}

/// What may be done to a segment (`p_flags`).
package struct ELFSegmentFlags: Flags {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static var executable: Self { .bit(0) }  // PF_X
  package static var writable: Self { .bit(1) }  // PF_W
  package static var readable: Self { .bit(2) }  // PF_R
}

/// Why a program file was refused.
package enum ELFError: Error, Equatable, Sendable {
  case tooShort
  case notELF64
  case notExecutable
  case badProgramHeaders
  case notStatic
  case outsideFile
  case smallerThanFile
  case badAddress
  case notPageAligned
  case overlap
  case writableAndExecutable
  case tooManySegments
  case badEntry

  /// The sentence that people read.
  package var sentence: StaticString {
    switch self {
    case .tooShort: "the file is too short for an ELF header"
    case .notELF64: "the file is not a little-endian ELF64 file"
    case .notExecutable: "the file is not an x86-64 executable at a fixed address"
    case .badProgramHeaders: "the program headers have a wrong size or lie outside the file"
    case .notStatic: "the program needs a dynamic linker or thread-local storage"
    case .outsideFile: "a segment lies outside the file"
    case .smallerThanFile: "a segment is smaller in memory than in the file"
    case .badAddress: "a segment lies where no program may be"
    case .notPageAligned: "a segment does not begin on a page"
    case .overlap: "two segments share a page"
    case .writableAndExecutable: "a segment is writable and executable"
    case .tooManySegments: "there are more than 16 program headers"
    case .badEntry: "the entry point is in no executable segment"
    }
  }
}

// MARK: - Checking

extension ELFImage {
  /// Checks the ELF file `bytes`, whose segments must lie below `end` (System V ABI, chapters 4 and 5).
  package init(_ bytes: RawSpan, below end: UInt64 = AddressMap.end) throws(ELFError) {
    // Identification: magic, 64 bits, little-endian, version 1.
    guard bytes.byteCount >= 64, let magic = bytes.load(0, as: UInt64.self),
      let typeAndMachine = bytes.load(16, as: UInt32.self), let entry = bytes.load(24, as: UInt64.self),
      let tableOffset = bytes.load(32, as: UInt64.self), let entrySize = bytes.load(54, as: UInt16.self),
      let count = bytes.load(56, as: UInt16.self)
    else { throw .tooShort }
    guard magic & 0xff_ffff_ffff_ffff == 0x01_0102_464c_457f else { throw .notELF64 }
    // e_type 2 is ET_EXEC, e_machine 62 is EM_X86_64.
    guard typeAndMachine == 62 << 16 | 2 else { throw .notExecutable }
    guard count <= UInt16(Self.segmentCapacity) else { throw .tooManySegments }
    guard entrySize == 56, count > 0, fits(tableOffset, count: UInt64(count) * 56, in: UInt64(bytes.byteCount)) else {
      throw .badProgramHeaders
    }
    self.entry = entry

    for index in 0..<Int(count) {
      guard let header = bytes.slice(Int(tableOffset) + index * 56, count: 56) else { throw .badProgramHeaders }
      try add(header, fileSize: UInt64(bytes.byteCount), below: end)
    }
    try checkEntry()
  }

  /// Takes a program header: PT_LOAD (1) is mapped; PT_DYNAMIC (2), PT_INTERP (3) and PT_TLS (7) would need more than
  /// mapping; others are notes for tools.
  private mutating func add(_ header: RawSpan, fileSize: UInt64, below end: UInt64) throws(ELFError) {
    guard let type = header.load(0, as: UInt32.self), let flags = header.load(4, as: UInt32.self),
      let offset = header.load(8, as: UInt64.self), let address = header.load(16, as: UInt64.self),
      let bytesInFile = header.load(32, as: UInt64.self), let bytesInMemory = header.load(40, as: UInt64.self)
    else { throw .badProgramHeaders }
    guard type != 2, type != 3, type != 7 else { throw .notStatic }
    guard type == 1 else { return }

    let segment = ELFSegment(
      address: address, memorySize: bytesInMemory, fileOffset: offset, fileSize: bytesInFile,
      flags: ELFSegmentFlags(rawValue: flags & 7))
    guard bytesInFile == 0 || fits(offset, count: bytesInFile, in: fileSize) else { throw .outsideFile }
    guard bytesInMemory >= bytesInFile else { throw .smallerThanFile }
    guard bytesInMemory > 0 else { return }
    guard address >= AddressMap.program, fits(address, count: bytesInMemory, in: end), segment.end <= end else {
      throw .badAddress
    }
    guard address.isAligned(to: 4096), bytesInFile == 0 || offset.isAligned(to: 4096) else { throw .notPageAligned }
    guard !(segment.flags.contains(.writable) && segment.flags.contains(.executable)) else {
      throw .writableAndExecutable
    }
    for other in 0..<segmentCount where segments[other].address < segment.end && segment.address < segments[other].end {
      throw .overlap
    }
    segments[segmentCount] = segment
    segmentCount += 1
  }

  /// The entry lies among an executable segment's bytes of the file, not among its zeros.
  private func checkEntry() throws(ELFError) {
    for index in 0..<segmentCount where segments[index].flags.contains(.executable) {
      let start = segments[index].address
      if entry >= start, entry - start < segments[index].fileSize { return }
    }
    throw .badEntry
  }
}
