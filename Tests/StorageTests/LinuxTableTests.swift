// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Foundation
import TestDriver
import TestSupport
import Testing

@testable import Storage

/// Partitions have the numbers, places and names that Linux gives them: made-up tables, also odd ones, are read by both
/// `PartitionReader` and util-linux' `partx`, whose rules are those of Linux (block/partitions/msdos.c and efi.c).
struct LinuxTableTests {
  /// A partition as both can say it.
  private struct Row: Hashable, Comparable, CustomStringConvertible {
    var number: UInt32
    var first: UInt64
    var count: UInt64
    var identifier: String

    var description: String { "\(number): \(count) from \(first), \(identifier)" }

    static func < (left: Row, right: Row) -> Bool { left.number < right.number }
  }

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What `partx` says of disks.
  private func rows(of disks: [SampleDisk]) async throws -> [[Row]] {
    for (index, disk) in disks.enumerated() {
      let file = try FileHandle(forWritingTo: URL(filePath: try folder.write([], to: "\(index)")))
      defer { try? file.close() }
      try file.truncate(atOffset: disk.geometry.sectorCount * 512)
      for (sector, bytes) in disk.sectors {
        try file.seek(toOffset: sector * 512)
        try file.write(contentsOf: bytes)
      }
    }
    let answer = try await Tool.run([
      "sh", "-c",
      """
      cd \(folder.path)
      for disk in $(seq 0 \(disks.count - 1)); do echo "disk"; partx -g -r -o NR,START,SECTORS,UUID $disk 2>&1; done
      true
      """,
    ])
    return answer.split(separator: "disk\n", omittingEmptySubsequences: false).dropFirst().map { lines in
      lines.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard words.count >= 3, let number = UInt32(words[0]), let first = UInt64(words[1]),
          let count = UInt64(words[2])
        else { return nil }
        return Row(number: number, first: first, count: count, identifier: words.count > 3 ? String(words[3]) : "")
      }.sorted()
    }
  }

  private func rows(of reading: Reading) -> [Row] {
    reading.partitions.map { partition in
      Row(
        number: partition.number, first: partition.first, count: partition.count,
        identifier: partition.identifier.text)
    }.sorted()
  }

  @Test func `an MBR is read as Linux reads it`() async throws {
    var random = SplitMix64(seed: 0x55aa)
    let disks = (0..<fuzzRounds(300)).map { _ in Self.oddRecord(&random) }

    for (disk, theirs) in zip(disks, try await rows(of: disks)) {
      let reading = disk.read()
      let ours = rows(of: reading)
      // What is beyond a link that cannot be trusted is left out; nothing else is, and nothing has another number.
      let isComplete = [nil, .malformed, .beyondDisk].contains(reading.chainProblem)
      #expect(isComplete ? ours == theirs : Set(ours).isSubset(of: theirs), "\(disk.entries)")
      #expect(isComplete || ours.filter { $0.number < 5 } == theirs.filter { $0.number < 5 })
    }
  }

  @Test func `a GPT is read as Linux reads it`() async throws {
    var random = SplitMix64(seed: 0xee)
    let counts: [UInt32] = [4, 128, 128, 200, 2048]
    let disks = (0..<fuzzRounds(40)).map { _ in
      let layout = SampleLayout(entryCount: counts.randomElement(using: &random) ?? 128)
      var disk = SampleDisk.gpt([], sectors: 50000, layout: layout)
      for index in 0..<Int.random(in: 0..<12, using: &random) {
        let first = UInt64(3000 + index * 3000) + UInt64.random(in: 0..<1000, using: &random)
        // Linux has no numbers above 255, whatever the table's size.
        let place = Int.random(in: 0..<min(Int(layout.entryCount), 255), using: &random)
        disk.put(SampleEntry(UInt64(index + 1), first...(first + 1000)), place, array: 2, layout)
      }
      disk.seal(1)
      return disk
    }

    for (disk, theirs) in zip(disks, try await rows(of: disks)) { #expect(rows(of: disk.read()) == theirs) }
  }

  /// A record with up to four entries of all types, and chains of which some are as old tools leave them.
  private static func oddRecord(_ random: inout SplitMix64) -> SampleDisk {
    var disk = SampleDisk(sectors: 100_000)
    disk.sign()
    for index in 0..<4 {
      let type = ([0x83, 0x83, 0x07, 0, 0x05, 0x0f, 0x85] as [UInt8]).randomElement(using: &random) ?? 0
      let start = UInt32(2048 + 24_000 * index)
      // Extended partitions also beyond the end, as of a disk that was cut short.
      let count = Int.random(in: 0..<8, using: &random) == 0 ? 0 : UInt32.random(in: 1...24_000, using: &random)
      disk.put(index, type: type, start: start, count: count)
      if PartitionType.isExtended(type), count > 0 { fill(&disk, extended: start, count, &random) }
    }
    return disk
  }

  private static func fill(
    _ disk: inout SampleDisk, extended start: UInt32, _ count: UInt32, _ random: inout SplitMix64
  ) {
    var link: UInt32 = 0
    let links = Int.random(in: 1...6, using: &random)
    for index in 0..<links {
      let step = UInt32.random(in: 100...4000, using: &random)
      let sector = UInt64(start + link)
      disk.sign(sector)
      // The entries of a link in any order; usually the partition comes first.
      var entries: [(type: UInt8, start: UInt32, count: UInt32)] = []
      let type = ([0x83, 0x83, 0x83, 0x82, 0] as [UInt8]).randomElement(using: &random) ?? 0x83
      entries.append((type, 1, Int.random(in: 0..<6, using: &random) == 0 ? 0 : step - 2))
      if index < links - 1 { entries.append((0x05, link + step, 2000)) }
      if Int.random(in: 0..<4, using: &random) == 0 { entries.swapAt(0, entries.count - 1) }
      for place in entries.indices { disk.put(place, entries[place], in: sector) }
      // Left-overs in the third and fourth entry, within the link and far from it.
      for place in 2..<4 where Int.random(in: 0..<3, using: &random) == 0 {
        let far = Bool.random(using: &random)
        let offset = far ? UInt32.random(in: 0...90_000, using: &random) : UInt32.random(in: 2...20, using: &random)
        let last: UInt8 = Int.random(in: 0..<5, using: &random) == 0 ? 0x05 : 0x83
        if last == 0x83 || index < links - 1 { disk.put(place, (last, offset, 5), in: sector) }
      }
      if Int.random(in: 0..<20, using: &random) == 0 { disk.store(UInt16(0), sector, 510) }
      if Int.random(in: 0..<20, using: &random) == 0 { disk.store(UInt8(0x13), sector, 446) }
      link += step
    }
  }
}

extension SampleDisk {
  fileprivate mutating func put(_ index: Int, _ entry: (type: UInt8, start: UInt32, count: UInt32), in sector: UInt64) {
    put(index, type: entry.type, start: entry.start, count: entry.count, in: sector)
  }

  /// The table's sectors, for people: type, start and count of each entry that is not zero.
  fileprivate var entries: String {
    sectors.keys.sorted().map { sector in
      let entries = (0..<4).map { index in
        let place = 446 + 16 * index
        return "\(number(sector, place + 4, as: UInt8.self)) \(number(sector, place + 8, as: UInt32.self)) "
          + "\(number(sector, place + 12, as: UInt32.self))"
      }
      return "\(sector): \(entries.joined(separator: ", "))"
    }.joined(separator: "\n")
  }
}

extension PartitionIdentifier {
  /// As Linux writes it.
  fileprivate var text: String {
    var line = LogLine()
    write(to: &line)
    return line.text
  }
}
