// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Storage
import Testing

@testable import DiskImage

/// What is written to a new disk is what Roost reads from it.
struct NewDiskTests {
  /// The table that is read from the disk.
  private func read(_ disk: NewDisk) throws -> [String] {
    var bytes = [UInt8](repeating: 0, count: disk.size)
    for piece in disk.contents {
      bytes.replaceSubrange(piece.offset..<piece.offset + piece.bytes.count, with: piece.bytes)
    }
    let geometry = try #require(DiskGeometry(sectorSize: .bytes512, sectorCount: UInt64(disk.size / 512)))
    var reader = PartitionReader(geometry)
    var step = reader.start()
    while case .read(let first, let count) = step {
      step = reader.feed(bytes.span.bytes.extracting(Int(first) * 512..<Int(first + count) * 512))
    }
    #expect(reader.table.failure == nil)
    #expect(reader.table.note == nil)
    return (0..<reader.table.count).map { index in
      let partition = reader.table[index]
      #expect(partition.problem == nil)
      return "\(partition.number) \(partition.first) \(partition.count)"
    }
  }

  @Test func `numbers up to four make an MBR`() throws {
    let disk = NewDisk(partitions: [1, 2, 3].map { NewPartition(number: $0) }, signature: 7)
    #expect(disk.contents.count == 1)
    #expect(try read(disk) == ["1 2048 131072", "2 133120 131072", "3 264192 131072"])
  }

  @Test func `names, identifiers and more partitions make a GPT`() throws {
    let named = NewDisk(
      partitions: [NewPartition(number: 1), NewPartition(number: 9, name: "data")], signature: 7)
    #expect(named.contents.count == 5)
    #expect(try read(named) == ["1 2048 131072", "9 133120 131072"])
  }

  @Test func `a disk for nobody's partitions is empty`() {
    #expect(NewDisk(partitions: [], signature: 7).contents.isEmpty)
  }
}
