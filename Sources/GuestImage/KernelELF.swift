// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The 32-bit kernel that a bzImage unpacks to: an ELF file and, behind it, where in it addresses are (System V ABI,
/// chapters 4 and 5; Linux, arch/x86/boot/compressed/misc.c and arch/x86/tools/relocs.c).
struct KernelELF {
  private let bytes: [UInt8]
  /// By physical address; no two have a byte in common.
  private let segments: [Segment]
  private let start: UInt64

  /// A part of the file that is loaded.
  private struct Segment {
    var offset: UInt64
    var virtual: UInt64
    var physical: UInt64
    var fileSize: UInt64
    var memorySize: UInt64

    /// How far into the segment's bytes of the file the four bytes at a virtual address are.
    func position(of address: UInt64) -> UInt64? {
      guard address >= virtual, fits(address - virtual, count: 4, in: fileSize) else { return nil }
      return address - virtual
    }
  }

  /// - Parameters:
  ///   - start: The physical address of its first byte, as the setup header has it.
  ///   - limit: Bytes of memory that it may take from there, as the setup header has them.
  init(_ bytes: [UInt8], startingAt start: UInt64, taking limit: UInt64) throws(StaysPacked) {
    // "\u{7F}ELF", little-endian, version 1; the class is 1 for 32 bits, and 3 is Intel's 80386.
    guard bytes.count >= 52, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]), bytes[5] == 1, bytes[6] == 1 else {
      throw .notELF
    }
    guard bytes[4] != 2 else { throw .is64Bit }
    guard bytes[4] == 1, bytes.number(18, as: UInt16.self) == 3 else { throw .notELF }
    self.bytes = bytes
    self.start = start
    segments = try Self.segments(of: bytes).sorted { $0.physical < $1.physical }

    guard let last = segments.last, segments.first?.physical == start,
      zip(segments, segments.dropFirst()).allSatisfy({ $0.physical + $0.memorySize <= $1.physical }),
      last.physical + last.memorySize - start <= limit
    else { throw .badSegments }
  }

  private static func segments(of bytes: [UInt8]) throws(StaysPacked) -> [Segment] {
    guard let table = bytes.number(28, as: UInt32.self), let size = bytes.number(42, as: UInt16.self),
      let count = bytes.number(44, as: UInt16.self), size == 32
    else { throw .badSegments }
    var segments: [Segment] = []
    for index in 0..<Int(count) {
      let words = (0..<6).compactMap { bytes.number(Int(table) + 32 * index + 4 * $0, as: UInt32.self) }
      guard words.count == 6 else { throw .badSegments }
      let segment = Segment(
        offset: UInt64(words[1]), virtual: UInt64(words[2]), physical: UInt64(words[3]), fileSize: UInt64(words[4]),
        memorySize: UInt64(words[5]))
      guard words[0] == 1, segment.memorySize > 0 else { continue }  // PT_LOAD
      guard fits(segment.offset, count: segment.fileSize, in: UInt64(bytes.count)),
        segment.fileSize <= segment.memorySize
      else { throw .badSegments }
      segments.append(segment)
    }
    return segments
  }

  /// Bytes of memory it takes.
  var memorySize: UInt32 { UInt32(segments.last.map { $0.physical + $0.memorySize - start } ?? 0) }

  /// What is in that memory, up to the last byte that the file has: the rest is zero.
  var image: [UInt8] {
    var image: [UInt8] = []
    image.reserveCapacity(Int(memorySize))
    for segment in segments where segment.fileSize > 0 {
      image.append(contentsOf: repeatElement(0, count: Int(segment.physical - start) - image.count))
      image += bytes[Int(segment.offset)..<Int(segment.offset + segment.fileSize)]
    }
    return image
  }

  /// The 32-bit entry, from the start of the image.
  func entry() throws(StaysPacked) -> UInt32 {
    guard let address = bytes.number(24, as: UInt32.self),
      segments.contains(where: { UInt64(address) >= $0.physical && UInt64(address) - $0.physical < $0.fileSize })
    else { throw .badEntry }
    return address - UInt32(start)
  }

  /// Where in the image a word holds an address, from its start; the table that the build puts at the end of the file.
  ///
  /// It is read from the end back to a zero: each number is the virtual address of such a word.
  func relocations() throws(StaysPacked) -> [UInt32] {
    let floor = segments.map { Int($0.offset + $0.fileSize) }.max() ?? 0
    var offsets: [UInt32] = []
    var place = bytes.count - 4
    while true {
      guard place >= floor, let address = bytes.number(place, as: UInt32.self) else { throw .badRelocations }
      guard address != 0 else { break }
      guard let offset = offset(of: UInt64(address)) else { throw .badRelocations }
      offsets.append(offset)
      place -= 4
    }
    return offsets.reversed()
  }

  /// Where in the image the word at a virtual address is.
  private func offset(of address: UInt64) -> UInt32? {
    for segment in segments {
      if let position = segment.position(of: address) { return UInt32(segment.physical - start + position) }
    }
    return nil
  }
}

extension [UInt8] {
  /// The little-endian number at `offset`; `nil` if it is not wholly inside.
  func number<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T? {
    // SAFETY: bytes are integers without padding; the span ends before the array does.
    unsafe span.bytes.load(offset, as: T.self)
  }
}
