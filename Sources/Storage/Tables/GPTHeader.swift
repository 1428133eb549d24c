// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The header of a GPT that is sound in itself; its entry array is not yet checked (UEFI 2.10, §5.3.2).
struct GPTHeader: Equatable {
  /// Which of a disk's two.
  enum Copy {
    case primary
    case backup
  }

  static var signature: UInt64 { 0x5452_4150_2049_4645 }
  static var size: Int { 92 }
  /// Bytes of the largest entry array, as for Linux.
  static var maximumEntriesSize: UInt64 { 4 << 20 }

  let alternate: UInt64
  let firstUsable: UInt64
  let lastUsable: UInt64
  let diskIdentifier: GUID
  let entriesStart: UInt64
  let entryCount: UInt32
  let entrySize: UInt32
  let entriesChecksum: UInt32

  /// Bytes of the entry array: at most 4 MiB.
  var entriesSize: UInt64 { UInt64(entryCount) * UInt64(entrySize) }

  /// Whether the sector claims to be a header.
  static func isSigned(_ sector: borrowing RawSpan) -> Bool { sector.load(0) == signature }

  /// Reads and checks the header in sector `place` of the disk.
  init(_ sector: borrowing RawSpan, _ copy: Copy, at place: UInt64, on disk: DiskGeometry) throws(HeaderProblem) {
    guard Self.isSigned(sector) else { throw .noSignature }
    let size = Int(sector.load(12, as: UInt32.self) ?? 0)
    guard size >= Self.size, size <= sector.byteCount else { throw .headerSize }
    guard sector.load(16) == Self.checksum(size: size, { sector.unsignedByte($0) }) else { throw .headerChecksum }
    guard sector.load(24) == place else { throw .misplaced }
    alternate = sector.load(32) ?? 0
    firstUsable = sector.load(40) ?? 0
    lastUsable = sector.load(48) ?? 0
    diskIdentifier = GUID(sector, at: 56)
    entriesStart = sector.load(72) ?? 0
    entryCount = sector.load(80) ?? 0
    entrySize = sector.load(84) ?? 0
    entriesChecksum = sector.load(88) ?? 0
    try check(copy, at: place, on: disk)
  }

  /// The checksum of a header, whose own field counts as zero.
  static func checksum(size: Int, _ byte: (Int) -> UInt8) -> UInt32 {
    var checksum = CRC32()
    for offset in 0..<size { checksum.add((16..<20).contains(offset) ? 0 : byte(offset)) }
    return checksum.value
  }

  private func check(_ copy: Copy, at place: UInt64, on disk: DiskGeometry) throws(HeaderProblem) {
    // The last sector is the backup's: whoever could write there could make one up.
    guard firstUsable > 1, firstUsable <= lastUsable, lastUsable < disk.sectorCount &- 1 else { throw .usableSectors }
    guard copy == .primary ? alternate > lastUsable && alternate < disk.sectorCount : alternate == 1 else {
      throw .misplaced
    }
    guard entrySize >= 128, entrySize <= 4096, entrySize & (entrySize &- 1) == 0 else { throw .entrySize }
    guard entryCount > 0, entriesSize <= Self.maximumEntriesSize else { throw .entryCount }
    let sectors = (entriesSize + disk.sectorSize.bytes - 1) / disk.sectorSize.bytes
    guard entriesStart > 1, fits(entriesStart, count: sectors, in: disk.sectorCount) else { throw .entryPlace }
    let last = entriesStart + sectors - 1
    guard last < firstUsable || entriesStart > lastUsable, place < entriesStart || place > last,
      alternate < entriesStart || alternate > last
    else { throw .entryPlace }
  }
}
