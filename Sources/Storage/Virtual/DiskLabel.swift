// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A made-up partition table with one entry: what is around a partition on a virtual disk.
///
/// An MBR for a partition of an MBR, where its 32-bit numbers suffice; else a GPT, with its backup after the partition.
struct DiskLabel: Sendable {
  /// Bytes of a GPT's entry array: the least that there must be (UEFI 2.10, §5.3.2).
  private static var arraySize: UInt64 { 16384 }
  /// Entries of it.
  private static var entryCount: UInt32 { 128 }

  let sectorSize: SectorSize
  /// The partition, in sectors of the virtual disk.
  let first: UInt64
  let count: UInt64
  let isGPT: Bool
  let type: PartitionType
  /// What the partition is known by on the real disk.
  let identifier: PartitionIdentifier
  private let entriesChecksum: UInt32

  init(for partition: Partition, first: UInt64, sectorSize: SectorSize) {
    self.sectorSize = sectorSize
    self.first = first
    count = partition.count
    isGPT = partition.identifier.isGUID || partition.count > UInt64(UInt32.max) - first
    type = partition.type
    identifier = partition.identifier
    guard isGPT else {
      entriesChecksum = 0
      return
    }
    let entry = Self.entry(first: first, count: partition.count, type: type, identifier: identifier)
    var checksum = CRC32()
    for index in 0..<LabelPiece.size { checksum.add(entry[index]) }
    checksum.add(zeros: Int(Self.arraySize) - LabelPiece.size)
    entriesChecksum = checksum.value
  }

  /// Made-up sectors after the partition, also where there is no backup GPT: whoever believes that there is one, as every
  /// tool does that makes a new table or removes an old one, writes there and not on the partition's end.
  var suffix: UInt64 { .MiB / sectorSize.bytes }

  private var arraySectors: UInt64 { Self.arraySize / sectorSize.bytes }
  private var sectorCount: UInt64 { first + count + suffix }

  // MARK: - The bytes

  /// Writes the virtual disk's bytes from `offset` on, as if all that is not this table were zero.
  func write(to bytes: inout MutableRawSpan, from offset: UInt64) {
    bytes.clear()
    overlay(&bytes, from: offset, at: 440) { bootRecord() }
    guard isGPT else { return }
    let last = sectorCount - 1
    overlay(&bytes, from: offset, at: sectorSize.bytes) { header(at: 1, alternate: last, entries: 2) }
    overlay(&bytes, from: offset, at: 2 * sectorSize.bytes) { entry }
    overlay(&bytes, from: offset, at: (last - arraySectors) * sectorSize.bytes) { entry }
    overlay(&bytes, from: offset, at: last * sectorSize.bytes) {
      header(at: last, alternate: 1, entries: last - arraySectors)
    }
  }

  /// Copies what `piece` makes, which stands at `place`, to where it is in `bytes`, which begins at `offset`.
  private func overlay(
    _ bytes: inout MutableRawSpan, from offset: UInt64, at place: UInt64, _ piece: () -> LabelPiece
  ) {
    guard place < offset &+ UInt64(bytes.byteCount), offset < place + UInt64(LabelPiece.size) else { return }
    let contents = piece()
    for index in 0..<LabelPiece.size {
      let target = place + UInt64(index)
      guard target >= offset, target - offset < UInt64(bytes.byteCount) else { continue }
      // A piece may reach past its sector's used bytes, but never into another piece.
      bytes.store(contents[index], at: Int(target - offset))
    }
  }

  /// An MBR from byte 440 on; for a GPT, the one that protects it (UEFI 2.10, §5.2.1 and §5.2.3).
  private func bootRecord() -> LabelPiece {
    var piece = LabelPiece()
    piece.store(isGPT ? 0 : identifier.diskSignature, at: 0)
    piece.store(isGPT ? UInt32(0x0002_0000) : Self.place(first), at: 6)
    let last = isGPT ? Self.place(.max) : Self.place(first + count - 1)
    piece.store(last | UInt32(isGPT ? MasterBootRecord.protectiveType : type.mbrByte), at: 10)
    piece.store(isGPT ? 1 : UInt32(truncatingIfNeeded: first), at: 14)
    let size = isGPT ? min(sectorCount - 1, UInt64(UInt32.max)) : count
    piece.store(UInt32(truncatingIfNeeded: size), at: 18)
    piece.store(UInt16(0xaa55), at: 70)
    return piece
  }

  /// Head, sector and cylinder of a sector, above the byte before them: those of a disk with 255 heads and 63 sectors,
  /// or the last that can be named.
  private static func place(_ sector: UInt64) -> UInt32 {
    let (cylinder, rest) = sector.quotientAndRemainder(dividingBy: 255 * 63)
    guard cylinder < 1024 else { return 0xffff_fe00 }
    let (head, number) = rest.quotientAndRemainder(dividingBy: 63)
    return UInt32(head << 8 | (number + 1 | (cylinder >> 8) << 6) << 16 | (cylinder & 0xff) << 24)
  }

  private func header(at place: UInt64, alternate: UInt64, entries: UInt64) -> LabelPiece {
    var piece = LabelPiece()
    piece.store(GPTHeader.signature, at: 0)
    piece.store(UInt32(0x0001_0000), at: 8)
    piece.store(UInt32(truncatingIfNeeded: GPTHeader.size), at: 12)
    piece.store(place, at: 24)
    piece.store(alternate, at: 32)
    piece.store(2 + arraySectors, at: 40)
    piece.store(first + count - 1, at: 48)
    piece.store(identifier.diskGUID, at: 56)
    piece.store(entries, at: 72)
    piece.store(Self.entryCount, at: 80)
    piece.store(UInt32(128), at: 84)
    piece.store(entriesChecksum, at: 88)
    piece.store(GPTHeader.checksum(size: GPTHeader.size, { piece[$0] }), at: 16)
    return piece
  }

  private var entry: LabelPiece {
    Self.entry(first: first, count: count, type: type, identifier: identifier)
  }

  private static func entry(
    first: UInt64, count: UInt64, type: PartitionType, identifier: PartitionIdentifier
  ) -> LabelPiece {
    var piece = LabelPiece()
    piece.store(type.guid, at: 0)
    piece.store(identifier.partitionGUID, at: 16)
    piece.store(first, at: 32)
    piece.store(first + count - 1, at: 40)
    return piece
  }
}

extension VirtualDisk {
  /// Writes the virtual disk's bytes from `offset` on; all of them must be made up.
  package func makeUp(_ bytes: inout MutableRawSpan, from offset: UInt64) {
    if let label { label.write(to: &bytes, from: offset) } else { bytes.clear() }
  }
}

/// The bytes of a label that stand together and are not all zero.
private struct LabelPiece {
  static var size: Int { 128 }
  private var bytes = InlineArray<128, UInt8>(repeating: 0)

  subscript(offset: Int) -> UInt8 { bytes[offset] }

  /// Stores a number, in little-endian order.
  mutating func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    for index in 0..<(T.bitWidth / 8) { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> T(8 * index)) }
  }

  mutating func store(_ guid: GUID, at offset: Int) {
    for index in 0..<16 { bytes[offset + index] = guid.bytes[index] }
  }
}

extension MutableRawSpan {
  fileprivate mutating func clear() {
    let words = byteCount / 8
    for index in 0..<words { store(UInt64(0), at: 8 * index) }
    for offset in (8 * words)..<byteCount { store(UInt8(0), at: offset) }
  }
}
