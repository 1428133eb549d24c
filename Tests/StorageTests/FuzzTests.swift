// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Storage

/// Random tables, disks and requests: nothing traps, every reading ends, and the wall holds.
struct FuzzTests {
  /// What holds of every table, however hostile.
  private func expectSound(_ reading: Reading, _ disk: SampleDisk, _ seed: UInt64) {
    let sound = reading.partitions.filter { reading.refusal(.number($0.number)) == nil }
    for partition in sound {
      #expect(fits(partition.first, count: partition.count, in: disk.geometry.sectorCount), "seed \(seed)")
      #expect(partition.count > 0)
      for other in reading.partitions where other.number != partition.number && !other.isExtended {
        #expect(!partition.overlaps(other), "seed \(seed)")
      }
      // Nobody may have a sector that the table was read from. (Of two that differ, only one counts.)
      if reading.note == nil {
        for read in reading.reads where read.contains(where: partition.contains) {
          Issue.record("seed \(seed): partition \(partition.number) covers \(read)")
        }
      }
    }
  }

  @Test func `random MBRs and chains`() {
    for seed in 0..<UInt64(fuzzRounds(300)) {
      var random = SplitMix64(seed: seed)
      let count = UInt64(1) << UInt64.random(in: 0...20, using: &random)
      var disk = SampleDisk(Bool.random(using: &random) ? .bytes512 : .bytes4096, sectors: count)
      for sector in [0] + (0..<40).map({ _ in UInt64.random(in: 0..<count, using: &random) }) {
        for index in 0..<4 where Int.random(in: 0..<3, using: &random) > 0 {
          let type = ([0x05, 0x0f, 0x83, 0x83, 0x00, 0xee] as [UInt8]).randomElement(using: &random) ?? 0
          let place = disk.sectors.keys.sorted().randomElement(using: &random) ?? 0
          let start = Bool.random(using: &random) ? place : UInt64.random(in: 0..<(count + 2), using: &random)
          let length = UInt32.random(in: 0...UInt32(count / 2 + 1), using: &random)
          disk.put(index, type: type, start: UInt32(start), count: length, in: sector)
        }
        if Int.random(in: 0..<30, using: &random) == 0 { disk.unreadable.insert(sector) }
      }
      expectSound(disk.read(), disk, seed)
    }
  }

  @Test func `GPTs with random bytes changed, and the checksums made right again`() {
    for seed in 0..<UInt64(fuzzRounds(60)) {
      var random = SplitMix64(seed: seed)
      let layout = SampleLayout(entryCount: UInt32.random(in: 1...16, using: &random))
      var disk = SampleDisk.gpt(
        (0..<min(4, UInt64(layout.entryCount))).map { SampleEntry($0, (100 + 50 * $0)...(149 + 50 * $0), name: "p") },
        sectors: 512, layout: layout)
      let places = disk.sectors.keys.sorted()
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        guard let sector = places.randomElement(using: &random) else { continue }
        let offset = Int.random(in: 0..<(sector == 1 || sector == 511 ? 92 : 512), using: &random)
        let value = ([0, 1, 2, 0x7f, 0x80, 0xff] as [UInt8]).randomElement(using: &random) ?? 0
        disk.store(value, sector, offset)
      }
      for place in [1, 511] as [UInt64] where Int.random(in: 0..<4, using: &random) > 0 {
        if disk.number(place, 12, as: UInt32.self) <= 512 { disk.seal(place) }
      }
      expectSound(disk.read(), disk, seed)
    }
  }

  @Test func `random sectors`() {
    for seed in 0..<UInt64(fuzzRounds(40)) {
      var random = SplitMix64(seed: seed)
      var disk = SampleDisk(sectors: 32)
      for sector in 0..<32 as Range<UInt64> {
        disk[sector] = (0..<512).map { _ in UInt8.random(in: 0...255, using: &random) }
        disk.store(UInt16(0xaa55), sector, 510)
        for index in 0..<4 { disk.store(UInt8(0), sector, 446 + 16 * index) }
      }
      expectSound(disk.read(), disk, seed)
    }
  }

  @Test func `bytes of another length than was asked for are as good as none`() throws {
    for seed in 0..<UInt64(fuzzRounds(100)) {
      var random = SplitMix64(seed: seed)
      var reader = PartitionReader(try #require(DiskGeometry(sectorSize: .bytes512, sectorCount: 1000)))
      var step = reader.start()
      for _ in 0..<20 {
        let bytes = [UInt8](repeating: 0x55, count: Int.random(in: 0...5000, using: &random))
        step = reader.feed(bytes.span.bytes)
      }
      #expect(step == .failed(.unreadable) || step == .failed(.noTable))
    }
  }

  // MARK: - Requests

  private func number(_ near: [UInt64], _ random: inout SplitMix64) -> UInt64 {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: random.next() >> UInt64.random(in: 0...63, using: &random)
    case 1: UInt64.max - UInt64.random(in: 0...20, using: &random)
    default: (near.randomElement(using: &random) ?? 0) &+ UInt64.random(in: 0...40, using: &random) &- 20
    }
  }

  /// A random partition of a random disk, as its VM sees it.
  private func disk(_ random: inout SplitMix64) -> VirtualDisk? {
    let size = Bool.random(using: &random) ? SectorSize.bytes512 : .bytes4096
    let count = random.next() >> UInt64.random(in: 14...60, using: &random)
    guard let geometry = DiskGeometry(sectorSize: size, sectorCount: count) else { return nil }
    let first = number([1, 63, 2048, count / 2, count], &random)
    let length = number([1, 8, count / 2, count, UInt64(UInt32.max), count &- first], &random)
    let partition = VirtualDiskTests.partition(first, length)
    guard let disk = try? VirtualDisk(partition, on: geometry, isReadOnly: false) else {
      #expect(length == 0 || first.addingReportingOverflow(length).overflow || first + length > count)
      return nil
    }
    #expect(disk.real == DiskRange(first: first, count: length))
    #expect(disk.prefix > 0 && disk.prefix * size.bytes < 2 << 20)
    return disk
  }

  @Test func `no request names a sector outside the partition`() {
    for seed in 0..<UInt64(fuzzRounds(3000)) {
      var random = SplitMix64(seed: seed)
      guard let disk = disk(&random) else { continue }
      let edges = [disk.prefix, disk.prefix + disk.real.count, disk.sectorCount].flatMap { [$0, $0 * 8] }
      for _ in 0..<20 {
        let unit = number(edges, &random) &* (Bool.random(using: &random) ? 1 : disk.sectorSize.units)
        let bytes = number([4096, 65536] + edges, &random) &* (Bool.random(using: &random) ? 1 : disk.sectorSize.bytes)
        guard let range = try? disk.range(unit: unit, bytes: bytes) else { continue }
        expectWall(disk, range, unit: unit, bytes: bytes)
      }
    }
  }

  /// The parts of a range make up all of it, each from where it should be.
  private func expectWall(_ disk: VirtualDisk, _ range: SectorRange, unit: UInt64, bytes: UInt64) {
    #expect(unit == range.first * disk.sectorSize.units && bytes == range.count * disk.sectorSize.bytes)
    #expect(range.first < disk.sectorCount && range.count <= disk.sectorCount - range.first)
    var extents = disk.extents(range)
    var sector = range.first
    var isReal = true
    while let extent = extents.next() {
      switch extent {
      case .disk(let real):
        #expect(real.count > 0)
        #expect(real.first >= disk.real.first)
        #expect(real.first + real.count <= disk.real.first + disk.real.count)
        #expect(real.first - disk.real.first == sector - disk.prefix)
        sector += real.count
      case .madeUp(let offset, let count):
        isReal = false
        #expect(count > 0 && offset == sector * disk.sectorSize.bytes)
        let end = sector + count / disk.sectorSize.bytes
        #expect(end <= disk.prefix || (sector >= disk.prefix + disk.real.count && end <= disk.sectorCount))
        sector = end
      }
    }
    #expect(sector == range.first + range.count)
    #expect(((try? disk.realSectors(range)) != nil) == isReal)
  }

  @Test func `random headers and segments name only what may be written`() throws {
    for seed in 0..<UInt64(fuzzRounds(2000)) {
      var random = SplitMix64(seed: seed)
      guard let disk = disk(&random) else { continue }
      var limits = BlockLimits(segments: 254, segmentBytes: 1 << 20)
      (limits.discardUnits, limits.discardSegments, limits.writeZeroesUnits) = (.max, 16, 1 << 20)
      let rules = BlockRules(disk: disk, limits: limits)
      let edges = [0, disk.prefix * disk.sectorSize.units, disk.capacity]
      let type = ([0, 1, 4, 8, 11, 13, 99] as [UInt32]).randomElement(using: &random) ?? 0
      let header = BlockTests.header(type, number(edges, &random))
      let length = number([0, 16, 20, 512, 4096], &random)
      let isOut = Bool.random(using: &random)
      if case .write(let real)? = try? rules.check(
        header: header.span.bytes, outgoing: isOut ? length : 0, incoming: isOut ? 0 : length)
      {
        #expect(real.first >= disk.real.first && real.count * disk.sectorSize.bytes == length)
        #expect(real.first + real.count <= disk.real.first + disk.real.count)
      }

      let segments = (0..<Int.random(in: 0...17, using: &random)).flatMap { _ in
        BlockTests.bytes(number(edges, &random)) + BlockTests.bytes(UInt32(truncatingIfNeeded: number(edges, &random)))
          + BlockTests.bytes(UInt32.random(in: 0...1, using: &random))
      }
      let purpose = Bool.random(using: &random) ? ClearPurpose.discard : .writeZeroes
      guard let list = try? ClearList(segments.span.bytes, purpose, rules) else { continue }
      for index in 0..<list.count {
        #expect(list[index].sectors.first >= disk.real.first && list[index].sectors.count > 0)
        let end = list[index].sectors.first + list[index].sectors.count
        #expect(end <= disk.real.first + disk.real.count)
      }
    }
  }

  @Test func `every made-up table is one that a guest can read`() throws {
    for seed in 0..<UInt64(fuzzRounds(40)) {
      var random = SplitMix64(seed: seed)
      guard let disk = disk(&random) else { continue }
      let reading = try VirtualDiskTests.label(disk).read()
      #expect(reading.end == .done && reading.note == nil && reading.problems == [nil], "seed \(seed)")
      #expect(reading.partitions.first?.first == disk.prefix && reading.partitions.first?.count == disk.real.count)
    }
  }
}
