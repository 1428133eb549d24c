// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Storage

/// GPT: headers, entry arrays and their backups (UEFI 2.10, §5.3).
struct GPTTests {
  static let entries = [
    SampleEntry(1, 2048...4095, name: "boot"), SampleEntry(2, 4096...50000, name: "root Größe"),
    SampleEntry(3, 60000...99_966, name: "data"),
  ]

  @Test func `partitions are found by number, name and GUID`() throws {
    let reading = SampleDisk.gpt(Self.entries).read()

    #expect(reading.end == .done)
    #expect(reading.kind == .gpt(SampleDisk.diskIdentifier))
    #expect(reading.note == nil)
    #expect(reading.numbers == [1, 2, 3])
    #expect(reading.problems.allSatisfy { $0 == nil })
    #expect(try reading.find(.number(2)).count == 45905)
    #expect(try reading.find(.name(try #require(name("root Größe")))).number == 2)
    #expect(try reading.find(.identifier(try #require(identifier("AABBCCDD-1122-3344-5566-000000000003")))).number == 3)
    #expect(reading.refusal(.number(4)) == .missing)
    #expect(reading.refusal(.name(try #require(name("Root")))) == .missing)
    #expect(reading.refusal(.name(PartitionName())) == .missing)
    #expect(reading.refusal(.identifier(.mbr(signature: SampleDisk.signature, number: 1))) == .missing)
  }

  @Test func `a 4 KiB disk has the same in other places`() {
    let entries = [SampleEntry(1, 6...100), SampleEntry(2, 256...99_994)]
    let reading = SampleDisk.gpt(entries, sectorSize: .bytes4096).read()
    #expect(reading.end == .done)
    #expect(reading.partitions.map(\.first) == [6, 256])
    #expect(reading.note == nil)
  }

  @Test func `a number is an entry's place, used or not`() {
    var disk = SampleDisk.gpt(Self.entries)
    disk.put(SampleEntry(9, 50001...50010), 99, array: 2)
    disk.seal(1)

    #expect(disk.read().numbers == [1, 2, 3, 100])
    #expect(disk.read().note == .backupDiffers)
  }

  @Test(arguments: zip([128, 128, 256, 512, 1024, 4096] as [UInt32], [4, 8192, 128, 200, 33, 5] as [UInt32]))
  func `entries may be larger, fewer and more`(size: UInt32, count: UInt32) {
    let layout = SampleLayout(entryCount: count, entrySize: size)
    for sectorSize in [SectorSize.bytes512, .bytes4096] {
      let disk = SampleDisk.gpt(
        [SampleEntry(1, 20000...30000), SampleEntry(2, 30001...40000)], sectorSize: sectorSize, layout: layout)
      #expect(disk.read().end == .done)
      #expect(disk.read().note == nil)
      #expect(disk.read().partitions.map(\.first) == [20000, 30001])
    }
  }

  @Test func `entries beyond those that Linux has numbers for count for nothing`() {
    let layout = SampleLayout(entryCount: 2048)
    var disk = SampleDisk.gpt([], layout: layout)
    for place in [254, 255, 2047] { disk.put(SampleEntry(1, 20000...20001), place, array: 2, layout) }
    disk.seal(1)
    #expect(disk.read().numbers == [255])
  }

  @Test func `a GPT for sectors of the other size is told from none`() {
    var disk = SampleDisk(sectors: 100_000)
    disk.put(0, type: 0xee, start: 1, count: 12499)
    for (index, byte) in "EFI PART".utf8.enumerated() { disk.store(byte, 8, index) }
    disk.store(UInt64(1), 8, 24)
    #expect(disk.read().end == .failed(.otherSectorSize(made: .bytes4096)))
    #expect(
      disk.read().failure?.line.text
        == "has a GPT made for sectors of 4096 bytes, and has others: make it anew on this disk")
    disk.store(UInt64(2), 8, 24)
    #expect(disk.read().end == .failed(.bothDamaged(primary: .noSignature, backup: .noSignature)))

    var large = SampleDisk(.bytes4096, sectors: 1000)
    large.put(0, type: 0xee, start: 1, count: 7999)
    for (index, byte) in "EFI PART".utf8.enumerated() { large.store(byte, 0, 512 + index) }
    large.store(UInt64(1), 0, 512 + 24)
    #expect(large.read().end == .failed(.otherSectorSize(made: .bytes512)))
  }

  @Test func `a disk with sectors beyond 32 bits`() {
    let entries = [SampleEntry(1, 2048...0x2_0000_0000), SampleEntry(2, 0x2_0000_0001...0x3_ffff_ffff)]
    let reading = SampleDisk.gpt(entries, sectors: 0x4_0000_1000).read()
    #expect(reading.partitions.map(\.count) == [0x1_ffff_f801, 0x1_ffff_ffff])
    #expect(reading.problems.allSatisfy { $0 == nil })
  }

  // MARK: - Which table counts

  @Test func `a GPT needs its protective MBR`() {
    var disk = SampleDisk.gpt(Self.entries)
    disk.store(UInt16(0), 0, 510)
    #expect(disk.read().end == .failed(.noProtectiveMBR))
    disk = SampleDisk.gpt(Self.entries)
    disk.put(0, type: 0xee, start: 2, count: 100)
    #expect(disk.read().end == .failed(.badProtectiveMBR))
  }

  @Test func `beside the protective entry others count for nothing`() {
    var disk = SampleDisk.gpt(Self.entries)
    disk.put(0, type: 0x83, start: 2048, count: 10000)
    disk.put(2, type: 0xee, start: 1, count: 2047)
    #expect(disk.read().numbers == [1, 2, 3])
    #expect(disk.read().end == .done)
  }

  @Test func `without a protective entry a GPT is a left-over`() {
    var disk = SampleDisk.gpt(Self.entries)
    disk.put(0, type: 0x83, start: 2048, count: 10)
    #expect(disk.read().kind == .mbr(signature: SampleDisk.signature))
  }

  // MARK: - Damage

  private static let end: UInt64 = 99_999

  private typealias Change = @Sendable (inout SampleDisk, UInt64) -> Void

  /// Each damage of a header or its array, and what it is called.
  private static let damages: [(problem: HeaderProblem, seals: Bool, change: Change)] = [
    (.noSignature, true, { $0.store(UInt8(0), $1, 3) }),
    (.headerSize, false, { $0.store(UInt32(91), $1, 12) }),
    (.headerSize, false, { $0.store(UInt32(513), $1, 12) }),
    (.headerSize, false, { $0.store(UInt32.max, $1, 12) }),
    (.headerChecksum, false, { $0.store(UInt8(1), $1, 57) }),
    (.headerChecksum, false, { $0.store(UInt8(1), $1, 16) }),
    (.misplaced, true, { $0.store(UInt64(2), $1, 24) }),
    (.misplaced, true, { $0.store(UInt64(50000), $1, 32) }),
    (.misplaced, true, { $0.store(UInt64.max, $1, 32) }),
    (.usableSectors, true, { $0.store(UInt64(1), $1, 40) }),
    (.usableSectors, true, { $0.store(UInt64(99_967), $1, 40) }),
    (.usableSectors, true, { $0.store(end, $1, 48) }),
    (.usableSectors, true, { $0.store(UInt64.max, $1, 48) }),
    (.entrySize, true, { $0.store(UInt32(64), $1, 84) }),
    (.entrySize, true, { $0.store(UInt32(384), $1, 84) }),
    (.entrySize, true, { $0.store(UInt32(8192), $1, 84) }),
    (.entrySize, true, { $0.store(UInt32(0), $1, 84) }),
    (.entryCount, true, { $0.store(UInt32(0), $1, 80) }),
    (.entryCount, true, { $0.store(UInt32(32769), $1, 80) }),
    (.entryCount, true, { $0.store(UInt32.max, $1, 80) }),
    (.entryPlace, true, { $0.store(UInt64(0), $1, 72) }),
    (.entryPlace, true, { $0.store(UInt64(1), $1, 72) }),
    (.entryPlace, true, { $0.store(UInt64(3), $1, 72) }),
    (.entryPlace, true, { $0.store(UInt64(99_966), $1, 72) }),
    (.entryPlace, true, { $0.store(end, $1, 72) }),
    (.entryPlace, true, { $0.store(end - 10, $1, 72) }),
    (.entryPlace, true, { $0.store(UInt64.max, $1, 72) }),
    (.entryPlace, true, { $0.store(UInt64.max - 31, $1, 72) }),
    (.entryChecksum, false, { $0.store(UInt8(7), $0.number($1, 72) + 31, 500) }),
    (.unreadable, false, { $0.unreadable.insert($1) }),
    (.unreadable, false, { $0.unreadable.insert($0.number($1, 72) + 8) }),
  ]

  private func damaged(_ index: Int, _ places: [UInt64]) -> SampleDisk {
    var disk = SampleDisk.gpt(Self.entries)
    for place in places {
      Self.damages[index].change(&disk, place)
      if Self.damages[index].seals { disk.sealHeader(place) }
    }
    return disk
  }

  @Test(arguments: damages.indices)
  func `a damaged primary is replaced by the backup`(index: Int) {
    let reading = damaged(index, [1]).read()
    #expect(reading.end == .done)
    #expect(reading.note == .primaryDamaged(Self.damages[index].problem))
    #expect(reading.numbers == [1, 2, 3])
    #expect(reading.kind == .gpt(SampleDisk.diskIdentifier))
    #expect(reading.problems.allSatisfy { $0 == nil })
  }

  @Test(arguments: damages.indices)
  func `a damaged backup is told of`(index: Int) {
    let reading = damaged(index, [Self.end]).read()
    #expect(reading.end == .done)
    #expect(reading.note == .backupDamaged(Self.damages[index].problem))
    #expect(reading.numbers == [1, 2, 3])
  }

  @Test(arguments: damages.indices)
  func `with both damaged there is no table`(index: Int) {
    let problem = Self.damages[index].problem
    let reading = damaged(index, [1, Self.end]).read()
    #expect(reading.end == .failed(.bothDamaged(primary: problem, backup: problem)))
    #expect(reading.numbers == [])
    #expect(reading.refusal(.number(1)) == .table(.bothDamaged(primary: problem, backup: problem)))
  }

  @Test func `a disk that was cut short has no table`() {
    var disk = SampleDisk(sectors: 99_990)
    disk.sectors = SampleDisk.gpt(Self.entries).sectors
    let failure = TableFailure.bothDamaged(primary: .misplaced, backup: .noSignature)
    #expect(disk.read().end == .failed(failure))
    disk = SampleDisk(sectors: 50000)
    disk.sectors = SampleDisk.gpt(Self.entries).sectors
    #expect(disk.read().end == .failed(.bothDamaged(primary: .usableSectors, backup: .noSignature)))
    disk = SampleDisk(sectors: 1)
    disk.sectors = SampleDisk.gpt(Self.entries).sectors
    #expect(disk.read().end == .failed(.bothDamaged(primary: .unreadable, backup: .noSignature)))
  }

  @Test func `a disk that has grown has its backup where it was`() {
    let reading = SampleDisk.gpt(Self.entries, layout: SampleLayout(backup: 99_000)).read()
    #expect(reading.note == nil)
    #expect(reading.problems == [nil, nil, .outsideUsable])
  }

  // MARK: - Bad partitions

  @Test func `an entry that makes no sense is refused, and no other`() throws {
    let wrong: [(ClosedRange<UInt64>, PartitionProblem)] = [
      (33...4095, .outsideUsable), (5000...99_967, .outsideUsable), (34...100_000, .beyondDisk),
      (0...UInt64.max, .beyondDisk), (40000...UInt64.max, .beyondDisk),
    ]
    for (sectors, problem) in wrong {
      let reading = SampleDisk.gpt([SampleEntry(1, sectors), SampleEntry(9, 4096...4999)]).read()
      #expect(reading.refusal(.number(1)) == .unusable(1, problem))
    }
    var reversed = SampleEntry(1, 5000...5001)
    reversed.last = 4999
    let reading = SampleDisk.gpt([reversed, SampleEntry(9, 4096...5004)]).read()
    #expect(reading.refusal(.number(1)) == .unusable(1, .reversed))
    #expect(try reading.find(.number(2)).count == 909)
  }

  @Test func `entries that overlap are both refused`() {
    let entries = [SampleEntry(1, 2048...4096), SampleEntry(2, 4097...5000), SampleEntry(3, 4096...4096)]
    #expect(SampleDisk.gpt(entries).read().problems == [.overlaps(3), nil, .overlaps(1)])
    let all = [SampleEntry(1, 2048...4096), SampleEntry(2, 0...UInt64.max)]
    #expect(SampleDisk.gpt(all).read().problems == [.overlaps(2), .beyondDisk])
  }

  @Test func `two of one name or GUID can only be had by number`() throws {
    let entries = [
      SampleEntry(7, 2048...4095, name: "a"), SampleEntry(7, 4096...5000, name: "b"),
      SampleEntry(8, 5001...6000, name: "a"),
    ]
    let reading = SampleDisk.gpt(entries).read()
    #expect(reading.refusal(.name(try #require(name("a")))) == .ambiguous)
    #expect(reading.refusal(.identifier(.guid(entries[0].unique))) == .ambiguous)
    #expect(reading.refusal(.name(try #require(name("b")))) == nil)
    #expect(reading.refusal(.number(3)) == nil)
  }

  @Test func `more partitions than there is room for are refused, once the table is known to be sound`() {
    let many = (0..<65).map { SampleEntry($0, (2048 + 10 * $0)...(2057 + 10 * $0)) }
    #expect(SampleDisk.gpt(Array(many.prefix(64))).read().numbers.count == 64)
    #expect(SampleDisk.gpt(many).read().end == .failed(.tooManyPartitions))

    var disk = SampleDisk.gpt(Self.entries)
    for (index, entry) in many.enumerated() { disk.put(entry, index, array: 2) }
    #expect(disk.read().note == .primaryDamaged(.entryChecksum))
    #expect(disk.read().numbers == [1, 2, 3])
  }
}
