// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Storage

/// What a guest sees of a partition, and where its sectors really are.
struct VirtualDiskTests {
  static func partition(
    _ first: UInt64, _ count: UInt64, type: PartitionType = .mbr(0x83),
    identifier: PartitionIdentifier = .mbr(signature: 1, number: 2)
  ) -> Partition {
    Partition(number: 2, first: first, count: count, type: type, identifier: identifier)
  }

  static func disk(
    _ first: UInt64, _ count: UInt64, _ size: SectorSize = .bytes512, type: PartitionType = .mbr(0x83),
    identifier: PartitionIdentifier = .mbr(signature: 1, number: 2), isReadOnly: Bool = false
  ) throws -> VirtualDisk {
    try VirtualDisk(
      partition(first, count, type: type, identifier: identifier),
      on: try #require(DiskGeometry(sectorSize: size, sectorCount: 1 << 40)), isReadOnly: isReadOnly)
  }

  /// The parts of a request for sectors of the virtual disk.
  static func extents(_ disk: VirtualDisk, _ sectors: Range<UInt64>) throws -> [DiskExtent] {
    let size = disk.sectorSize
    var extents = disk.extents(
      try disk.range(unit: sectors.lowerBound * size.units, bytes: UInt64(sectors.count) * size.bytes))
    var parts: [DiskExtent] = []
    while let part = extents.next() { parts.append(part) }
    return parts
  }

  /// The disk as a guest's partition reader finds it: only what is made up.
  static func label(_ disk: VirtualDisk) throws -> SampleDisk {
    var sample = SampleDisk(disk.sectorSize, sectors: disk.sectorCount)
    for part in [0..<disk.prefix, (disk.sectorCount - disk.suffix)..<disk.sectorCount] {
      let size = Int(disk.sectorSize.bytes)
      let bytes = makeUp(disk, part.lowerBound * UInt64(size), part.count * size)
      for (index, sector) in part.enumerated() {
        let contents = Array(bytes[(index * size)..<((index + 1) * size)])
        if contents.contains(where: { $0 != 0 }) { sample[sector] = contents }
      }
    }
    return sample
  }

  static func makeUp(_ disk: VirtualDisk, _ offset: UInt64, _ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xee, count: count)
    var span = bytes.mutableSpan
    var raw = span.mutableBytes
    disk.makeUp(&raw, from: offset)
    return bytes
  }

  // MARK: - The table

  @Test(
    arguments: [
      (SectorSize.bytes512, 2048, 2048), (.bytes512, 63, 2111), (.bytes512, 10240, 2048), (.bytes512, 4095, 4095),
      (.bytes4096, 256, 256), (.bytes4096, 6, 262), (.bytes4096, 257, 257),
    ] as [(SectorSize, UInt64, UInt64)])
  func `the guest finds one partition, aligned as the original`(
    size: SectorSize, first: UInt64, shown: UInt64
  ) throws {
    let disk = try Self.disk(first, 5000, size, type: .mbr(0x8e))
    #expect(disk.capacity == (shown + 5000) * size.units + 2048)

    let reading = try Self.label(disk).read()
    #expect(reading.end == .done)
    #expect(reading.numbers == [1])
    #expect(reading.problems == [nil])
    #expect(reading.partitions.first?.first == shown)
    #expect(reading.partitions.first?.count == 5000)
    #expect(reading.partitions.first?.type == .mbr(0x8e))
    #expect((first * size.bytes) % (1 << 20) == (shown * size.bytes) % (1 << 20))
  }

  @Test(arguments: [SectorSize.bytes512, .bytes4096])
  func `what 32 bits cannot count has a GPT, with its backup`(size: SectorSize) throws {
    let prefix = UInt64.MiB / size.bytes
    let largest = UInt64(UInt32.max) - prefix
    let unique = GUID(1, 2, 3, 4, 5)
    let small = try Self.disk(prefix, largest, size)
    #expect(try Self.label(small).read().partitions.first?.count == largest)
    #expect(try Self.label(small).read().kind == .mbr(signature: small.label?.identifier.diskSignature ?? 0))
    #expect(try Self.label(try Self.disk(prefix, largest + 1, size)).read().partitions.first?.count == largest + 1)

    let large = try Self.disk(prefix, largest + 1, size, type: .gpt(SampleEntry.linux), identifier: .guid(unique))
    for damaged in [nil, 1, 2, large.sectorCount - 1] as [UInt64?] {
      var label = try Self.label(large)
      if let damaged { label.store(UInt8(0xff), damaged, 16) }
      let reading = label.read()
      #expect(reading.end == .done)
      #expect((reading.note == nil) == (damaged == nil))
      #expect(reading.problems == [nil])
      let found = try reading.find(.identifier(.guid(unique)))
      #expect(found.number == 1 && found.first == prefix && found.count == largest + 1)
      #expect(found.type == .gpt(SampleEntry.linux))
    }
  }

  @Test func `types keep their meaning from one table to the other`() throws {
    let swap = try #require(guid("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"))
    #expect(PartitionType.gpt(swap).mbrByte == 0x82)
    #expect(PartitionType.mbr(0x82).guid == swap)
    #expect(PartitionType.gpt(GUID(1, 2, 3, 4, 5)).mbrByte == 0x83)
    #expect(PartitionType.mbr(0x83).guid == SampleEntry.linux)
    // These would make the guest look for a table where there is none.
    for byte in [0, 0x05, 0x0f, 0x85, 0xee] as [UInt8] { #expect(PartitionType.mbr(byte).mbrByte == 0x83) }
  }

  @Test func `the made-up disk has its own name, the same each time`() throws {
    let first = try Self.label(try Self.disk(2048, 100, identifier: .mbr(signature: 7, number: 1))).read().kind
    let again = try Self.label(try Self.disk(2048, 100, identifier: .mbr(signature: 7, number: 1))).read().kind
    let second = try Self.label(try Self.disk(2048, 100, identifier: .mbr(signature: 7, number: 2))).read().kind
    let nameless = try Self.label(try Self.disk(2048, 100, identifier: .mbr(signature: 0, number: 1))).read().kind
    #expect(first == again)
    #expect(nameless != .mbr(signature: 0))
    #expect(first != second)
    #expect(first != .mbr(signature: 0))
  }

  @Test func `a PARTUUID is the real one where a table with one entry can say it`() throws {
    for own in [PartitionIdentifier.guid(GUID(1, 2, 3, 4, 5)), .mbr(signature: 7, number: 1)] {
      let disk = try Self.disk(2048, 100, identifier: own)
      #expect(try Self.label(disk).read().partitions.map(\.identifier) == [own])
    }
    let second = try Self.label(try Self.disk(2048, 100, identifier: .mbr(signature: 7, number: 2))).read()
    #expect(second.partitions.first?.identifier != .mbr(signature: 7, number: 1))
  }

  @Test func `made-up bytes are the same whatever part of them is asked for`() throws {
    let disk = try Self.disk(2048, 1 << 33)
    for start in [0, (disk.sectorCount - disk.suffix) * 512] as [UInt64] {
      let whole = Self.makeUp(disk, start, 33 * 512)
      var random = SplitMix64(seed: start)
      for _ in 0..<60 {
        let from = Int.random(in: 0..<(33 * 512), using: &random)
        let count = Int.random(in: 0...min(700, 33 * 512 - from), using: &random)
        #expect(Self.makeUp(disk, start + UInt64(from), count) == Array(whole[from..<(from + count)]))
      }
    }
  }

  // MARK: - The wall

  @Test func `a request is split where the made-up part ends`() throws {
    let disk = try Self.disk(10240, 4096)
    #expect(try Self.extents(disk, 0..<8) == [.madeUp(offset: 0, count: 4096)])
    #expect(try Self.extents(disk, 2048..<2049) == [.disk(DiskRange(first: 10240, count: 1))])
    #expect(
      try Self.extents(disk, 2047..<2050) == [
        .madeUp(offset: 2047 * 512, count: 512), .disk(DiskRange(first: 10240, count: 2)),
      ])
    #expect(try Self.extents(disk, 6143..<6144) == [.disk(DiskRange(first: 14335, count: 1))])

    #expect(try Self.extents(disk, 6144..<8192) == [.madeUp(offset: 6144 * 512, count: 1 << 20)])

    let large = try Self.disk(2048, 1 << 33)
    let end = 2048 + UInt64(1) << 33
    #expect(
      try Self.extents(large, 2047..<(end + 33)) == [
        .madeUp(offset: 2047 * 512, count: 512), .disk(DiskRange(first: 2048, count: 1 << 33)),
        .madeUp(offset: end * 512, count: 33 * 512),
      ])
  }

  @Test func `a request is checked from its first sector to its last`() throws {
    let disk = try Self.disk(10240, 4096)
    let beyond: [(UInt64, UInt64)] = [(8191, 1024), (8192, 512), (.max, 512), (.max, .max - 511), (8185, 4096)]
    for (unit, bytes) in beyond {
      #expect(throws: RangeProblem.beyondEnd) { try disk.range(unit: unit, bytes: bytes) }
    }
    #expect(throws: RangeProblem.empty) { try disk.range(unit: 0, bytes: 0) }
    #expect(throws: RangeProblem.unaligned) { try disk.range(unit: 0, bytes: 511) }
    #expect(throws: RangeProblem.unaligned) { try disk.range(unit: 0, bytes: .max) }
  }

  @Test func `with 4 KiB sectors all is in whole ones`() throws {
    let disk = try Self.disk(256, 10, .bytes4096)
    #expect(throws: RangeProblem.unaligned) { try disk.range(unit: 1, bytes: 4096) }
    #expect(throws: RangeProblem.unaligned) { try disk.range(unit: 0, bytes: 512) }
    #expect(throws: RangeProblem.beyondEnd) { try disk.range(unit: (256 + 10 + 256) * 8, bytes: 4096) }
    #expect(throws: RangeProblem.beyondEnd) { try disk.range(unit: (1 << 61) + 8, bytes: 4096) }
    #expect(try disk.realSectors(disk.range(unit: 265 * 8, bytes: 4096)) == DiskRange(first: 265, count: 1))
  }

  /// What partitioning tools write: a table at the start, a backup GPT at the end, and zeros over both.
  @Test(
    arguments: [
      (100_000, .mbr(signature: 1, number: 2)), (100_001, .guid(GUID(1, 2, 3, 4, 5))),
      (1 << 33, .mbr(signature: 1, number: 2)),
    ] as [(UInt64, PartitionIdentifier)])
  func `nothing written to the disk outside its partition reaches that`(
    count: UInt64, identifier: PartitionIdentifier
  ) throws {
    let disk = try Self.disk(2048, count, identifier: identifier)
    let end = disk.sectorCount
    let starts = [0..<1, 0..<34, 2047..<2049] as [Range<UInt64>]
    for range in starts + [33, 2048, 2049, 1].map({ (end - $0)..<end }) {
      let named = try disk.range(unit: range.lowerBound, bytes: UInt64(range.count) * 512)
      #expect(throws: RangeProblem.madeUp) { try disk.realSectors(named) }
    }
    let last = try disk.range(unit: end - 2049, bytes: 512)
    #expect(try disk.realSectors(last) == DiskRange(first: 2048 + count - 1, count: 1))
  }

  @Test func `a range of a larger disk names nothing beyond this one`() throws {
    let large = try Self.disk(2048, 100_000).range(unit: 2048, bytes: 50000 * 512)
    let small = try Self.disk(2048, 10)
    #expect(throws: RangeProblem.madeUp) { try small.realSectors(large) }
    var extents = small.extents(large)
    #expect(extents.next() == nil)
  }

  @Test func `a whole disk is what it is`() throws {
    let reading = MBRTests.sample().read()
    let disk = try reading.virtualDisk(.wholeDisk)
    #expect(disk.capacity == 100_000)
    #expect(try Self.extents(disk, 0..<100_000) == [.disk(DiskRange(first: 0, count: 100_000))])
    #expect(throws: RangeProblem.beyondEnd) { try disk.range(unit: 99_999, bytes: 1024) }
    // Even where there is no table.
    #expect(try SampleDisk(sectors: 9).read().virtualDisk(.wholeDisk).capacity == 9)
  }

  @Test func `a partition is had as the table calls it`() throws {
    let reading = MBRTests.sample().read()
    #expect(try reading.virtualDisk(.partition(.number(5))).real == DiskRange(first: 50063, count: 1000))
    #expect(throws: LookupError.extended) { try reading.virtualDisk(.partition(.number(4))) }
    #expect(throws: LookupError.missing) { try reading.virtualDisk(.partition(.number(3))) }
  }

  @Test func `a partition with a problem or beyond the disk is no virtual disk`() throws {
    let geometry = try #require(DiskGeometry(sectorSize: .bytes512, sectorCount: 10000))
    for (first, count) in [(9000, 1001), (10001, 1), (.max, .max), (1, .max)] as [(UInt64, UInt64)] {
      #expect(throws: PartitionProblem.beyondDisk) { try VirtualDisk(Self.partition(first, count), on: geometry) }
    }
    var overlapping = Self.partition(100, 100)
    overlapping.problem = .overlaps(1)
    #expect(throws: PartitionProblem.overlaps(1)) { try VirtualDisk(overlapping, on: geometry) }
  }

  @Test func `two may share sectors only if neither writes`() throws {
    let reading = MBRTests.sample().read()
    let one = try reading.virtualDisk(.partition(.number(1)))
    let sameButReadOnly = try reading.virtualDisk(.partition(.number(1)), isReadOnly: true)
    let two = try reading.virtualDisk(.partition(.number(2)))
    let all = try reading.virtualDisk(.wholeDisk)
    let allReadOnly = try reading.virtualDisk(.wholeDisk, isReadOnly: true)

    #expect(one.conflicts(with: one))
    #expect(one.conflicts(with: sameButReadOnly))
    #expect(sameButReadOnly.conflicts(with: one))
    #expect(!sameButReadOnly.conflicts(with: sameButReadOnly))
    #expect(!one.conflicts(with: two))
    #expect(all.conflicts(with: two))
    #expect(!allReadOnly.conflicts(with: sameButReadOnly))
    #expect(allReadOnly.conflicts(with: two))
  }
}
