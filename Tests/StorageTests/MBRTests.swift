// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Storage

/// MBR: four primary partitions, and logical ones in a chain (UEFI 2.10, §5.2).
struct MBRTests {
  /// Three primary partitions and an extended one from 50000 on with three logical ones.
  static func sample(_ sectorSize: SectorSize = .bytes512) -> SampleDisk {
    var disk = SampleDisk(sectorSize, sectors: 100_000)
    disk.put(0, type: 0x83, start: 2048, count: 8192)
    disk.put(1, type: 0x82, start: 10240, count: 4096)
    disk.put(3, type: 0x0f, start: 50000, count: 50000)
    disk.link(at: 50000, start: 63, count: 1000, next: 2000)
    disk.link(at: 52000, start: 100, count: 2000, next: 10000)
    disk.link(at: 60000, start: 1, count: 39999)
    return disk
  }

  @Test(arguments: [SectorSize.bytes512, .bytes4096])
  func `primary and logical partitions are found and numbered as Linux does`(size: SectorSize) throws {
    let reading = Self.sample(size).read()

    #expect(reading.end == .done)
    #expect(reading.kind == .mbr(signature: SampleDisk.signature))
    #expect(reading.numbers == [1, 2, 4, 5, 6, 7])
    #expect(reading.partitions.map(\.first) == [2048, 10240, 50000, 50063, 52100, 60001])
    #expect(reading.partitions.map(\.count) == [8192, 4096, 50000, 1000, 2000, 39999])
    #expect(reading.problems.allSatisfy { $0 == nil })
    #expect(reading.partitions[1].type == .mbr(0x82))
    #expect(try reading.find(.number(6)).first == 52100)
    #expect(try reading.find(.identifier(try #require(identifier("1234abcd-07")))).first == 60001)
    #expect(reading.refusal(.number(4)) == .extended)
    #expect(reading.refusal(.number(3)) == .missing)
    #expect(reading.refusal(.number(8)) == .missing)
    #expect(reading.refusal(.identifier(.mbr(signature: 0, number: 1))) == .missing)
  }

  @Test func `a link without a partition has no number`() {
    var disk = Self.sample()
    disk.put(0, type: 0, start: 0, count: 0, in: 52000)

    let reading = disk.read()
    #expect(reading.numbers == [1, 2, 4, 5, 6])
    #expect(reading.partitions[4].first == 60001)
  }

  @Test func `a chain need not go upwards`() {
    var disk = Self.sample()
    disk.link(at: 50000, start: 63, count: 1000, next: 10000)
    disk.link(at: 60000, start: 1, count: 39999, next: 2000)
    disk.link(at: 52000, start: 100, count: 2000)
    disk.put(1, type: 0, start: 0, count: 0, in: 52000)

    #expect(disk.read().partitions.map(\.first).suffix(3) == [50063, 60001, 52100])
  }

  @Test func `a disk without a table, and one that is empty, say so`() {
    #expect(SampleDisk(sectors: 1000).read().end == .failed(.noTable))
    #expect(SampleDisk(sectors: 1).read().end == .failed(.noTable))
    #expect(SampleDisk(sectors: 0).read().end == .failed(.noTable))
    // The boot sector of a file system is signed, but has other things where the entries' flags would be.
    var disk = SampleDisk(sectors: 1000)
    disk.put(0, type: 0x83, start: 1, count: 10)
    disk.store(UInt8(0x6f), 0, 446 + 32)
    #expect(disk.read().failure == .noTable)
    #expect(disk.read().refusal(.number(1)) == .table(.noTable))
  }

  @Test func `a table with no partitions is one`() {
    var disk = SampleDisk(sectors: 1000)
    disk.sign()
    #expect(disk.read().end == .done)
    #expect(disk.read().numbers == [])
  }

  @Test func `a disk that cannot be read says so`() {
    var disk = Self.sample()
    disk.unreadable = [0]
    #expect(disk.read().end == .failed(.unreadable))
    disk.unreadable = [52000]
    #expect(disk.read().chainProblem == .unreadable)
  }

  // MARK: - Bad partitions

  @Test func `a partition beyond the end of the disk is refused, and no other`() throws {
    var disk = SampleDisk(sectors: 20000)
    disk.put(0, type: 0x83, start: 2048, count: 1000)
    disk.put(1, type: 0x83, start: 10000, count: 10001)
    disk.put(2, type: 0x83, start: .max, count: .max)

    let reading = disk.read()
    #expect(try reading.find(.number(1)).count == 1000)
    #expect(reading.refusal(.number(2)) == .unusable(2, .beyondDisk))
    #expect(reading.refusal(.number(3)) == .unusable(3, .beyondDisk))
  }

  @Test func `partitions that overlap are both refused, and no other`() throws {
    var disk = SampleDisk(sectors: 20000)
    disk.put(0, type: 0x83, start: 2048, count: 1000)
    disk.put(1, type: 0x83, start: 3047, count: 1000)
    disk.put(2, type: 0x83, start: 4047, count: 1000)

    let reading = disk.read()
    #expect(reading.problems == [.overlaps(2), .overlaps(1), nil])
    #expect(reading.refusal(.number(2))?.line.text == "partition 2 overlaps partition 1")
  }

  @Test func `a partition over the table is refused`() {
    var disk = Self.sample()
    disk.put(0, type: 0x83, start: 0, count: 8192)
    #expect(disk.read().refusal(.number(1)) == .unusable(1, .coversTable))

    // A logical partition over the next link could change all that come after it.
    disk.link(at: 50000, start: 63, count: 1938, next: 2000)
    #expect(disk.read().refusal(.number(5)) == .unusable(5, .coversTable))
    disk.link(at: 50000, start: 63, count: 1937, next: 2000)
    #expect(disk.read().refusal(.number(5)) == nil)
    disk.link(at: 50000, start: 0, count: 1000, next: 2000)
    #expect(disk.read().refusal(.number(5)) == .unusable(5, .coversTable))
  }

  @Test func `a primary partition over the extended one is refused`() {
    var disk = Self.sample()
    disk.put(1, type: 0x83, start: 40000, count: 10001)
    #expect(disk.read().refusal(.number(2)) == .unusable(2, .coversTable))
    disk.put(1, type: 0x83, start: 50001, count: 10)
    #expect(disk.read().refusal(.number(2)) == .unusable(2, .overlaps(4)))
  }

  @Test func `a logical partition that leaves its extended one is refused`() {
    var disk = Self.sample()
    disk.link(at: 60000, start: 1, count: 40000)
    #expect(disk.read().refusal(.number(7)) == .unusable(7, .outsideExtended))
    disk.link(at: 60000, start: .max, count: .max)
    #expect(disk.read().refusal(.number(7)) == .unusable(7, .outsideExtended))
  }

  @Test func `logical partitions that overlap are refused`() {
    var disk = Self.sample()
    disk.link(at: 52000, start: 100, count: 7901, next: 10000)
    #expect(disk.read().refusal(.number(6)) == .unusable(6, .coversTable))
    disk.link(at: 52000, start: 8001, count: 1, next: 10000)
    #expect(disk.read().problems.suffix(2) == [.overlaps(7), .overlaps(6)])
  }

  // MARK: - Bad chains

  /// A chain like this ends where it is wrong: so many logical partitions can be had, and the primary ones.
  private func expect(
    _ problem: ChainProblem, after count: UInt32, _ disk: SampleDisk, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let reading = disk.read()
    #expect(reading.end == .done, sourceLocation: sourceLocation)
    #expect(reading.chainProblem == problem, sourceLocation: sourceLocation)
    #expect(reading.refusal(.number(1)) == nil, sourceLocation: sourceLocation)
    #expect(reading.numbers.filter { $0 > 4 } == Array(5..<(5 + count)), sourceLocation: sourceLocation)
    #expect(count == 0 || reading.refusal(.number(5)) == nil, sourceLocation: sourceLocation)
    #expect(reading.refusal(.number(5 + count)) == .chain(problem), sourceLocation: sourceLocation)
    #expect(
      reading.refusal(.identifier(.mbr(signature: SampleDisk.signature, number: 60))) == .chain(problem),
      sourceLocation: sourceLocation)
    #expect(reading.refusal(.number(3)) == .missing, sourceLocation: sourceLocation)
  }

  @Test func `a chain that comes back is not followed again`() {
    var disk = Self.sample()
    disk.link(at: 60000, start: 1, count: 10, next: 2000)
    expect(.loop, after: 3, disk)
    disk.link(at: 60000, start: 1, count: 10, next: 10000)
    expect(.loop, after: 3, disk)
    disk.link(at: 50000, start: 63, count: 10, next: 0)
    expect(.loop, after: 1, disk)
    #expect(disk.read().reads.count == 2)
  }

  @Test func `a chain that leaves the extended partition is not followed`() {
    var disk = Self.sample()
    disk.link(at: 60000, start: 1, count: 10, next: 50000)
    expect(.beyondDisk, after: 3, disk)
    disk.link(at: 60000, start: 1, count: 10, next: .max)
    expect(.beyondDisk, after: 3, disk)
    disk.put(3, type: 0x0f, start: 50000, count: 40000)
    disk.link(at: 60000, start: 1, count: 10, next: 45000)
    expect(.outsideExtended, after: 3, disk)
  }

  @Test func `a chain ends at a link that is not signed, whatever its entries' flags`() {
    var disk = Self.sample()
    disk.store(UInt8(0x13), 52000, 446)
    #expect(disk.read().chainProblem == nil)
    disk.store(UInt16(0), 60000, 510)
    expect(.malformed, after: 2, disk)
  }

  @Test func `left-overs behind a link's first two entries count where they lie in the link`() {
    // As `ebrextra`: a partition far outside the link, and a second next link.
    var disk = Self.sample()
    disk.put(2, type: 0x83, start: 3000, count: 1, in: 52000)
    disk.put(3, type: 0x05, start: 20000, count: 1, in: 52000)
    #expect(disk.read().chainProblem == nil)
    #expect(disk.read().partitions.map(\.first).suffix(3) == [50063, 52100, 60001])

    disk.put(2, type: 0x83, start: 10, count: 5, in: 52000)
    #expect(disk.read().partitions.map(\.first).suffix(4) == [50063, 52100, 52010, 60001])
  }

  @Test func `an entry with a size is a partition, whatever its type`() {
    // As `type0log`: without it all that come after would have another number.
    var disk = Self.sample()
    disk.put(0, type: 0, start: 63, count: 1000, in: 50000)
    disk.put(1, type: 0, start: 10240, count: 4096)
    #expect(disk.read().numbers == [1, 2, 4, 5, 6, 7])
    #expect(disk.read().partitions[3].first == 50063)
  }

  @Test func `of an extended partition that goes beyond the end all can be had that is there`() {
    var disk = Self.sample()
    disk.put(3, type: 0x0f, start: 50000, count: 60000)
    disk.link(at: 60000, start: 1, count: 40000, next: 50000)
    let reading = disk.read()
    #expect(reading.chainProblem == .beyondDisk)
    #expect(reading.refusal(.number(6)) == nil)
    #expect(reading.refusal(.number(7)) == .unusable(7, .beyondDisk))
    #expect(reading.refusal(.number(8)) == .chain(.beyondDisk))
  }

  @Test func `extended partitions are followed in their order`() {
    var disk = SampleDisk(sectors: 100_000)
    disk.put(0, type: 0x83, start: 2048, count: 10)
    disk.put(1, type: 0x05, start: 20000, count: 1000)
    disk.put(3, type: 0x85, start: 10000, count: 1000)
    disk.link(at: 20000, start: 1, count: 10, next: 100)
    disk.link(at: 20100, start: 1, count: 10)
    disk.link(at: 10000, start: 1, count: 10)
    #expect(disk.read().numbers == [1, 2, 4, 5, 6, 7])
    #expect(disk.read().partitions.map(\.first).suffix(3) == [20001, 20101, 10001])
    #expect(disk.read().problems.allSatisfy { $0 == nil })

    disk.unreadable = [20100]
    expect(.unreadable, after: 1, disk)
  }

  @Test func `a chain has at most sixty links`() {
    var disk = SampleDisk(sectors: 100_000)
    for (index, start) in [2048, 3000, 4000].enumerated() {
      disk.put(index, type: 0x83, start: UInt32(start), count: 10)
    }
    disk.put(3, type: 0x05, start: 10000, count: 90000)
    for index in 0..<60 as Range<UInt32> {
      disk.link(
        at: 10000 + 100 * UInt64(index), start: 1, count: 99, next: index == 59 ? nil : 100 * (index + 1))
    }
    #expect(disk.read().numbers.count == 64)
    #expect(disk.read().refusal(.number(64)) == nil)

    disk.link(at: 10000 + 5900, start: 1, count: 99, next: 6000)
    disk.link(at: 16000, start: 1, count: 99)
    #expect(disk.read().chainProblem == .tooLong)
    #expect(disk.read().refusal(.number(65)) == .chain(.tooLong))
  }
}
