// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The partitions of one disk: what `PartitionReader` found, and what was wrong.
///
/// A table that is damaged in one place still serves those whose partitions are sound.
package struct PartitionTable: ~Copyable {
  /// The most partitions of one disk.
  package static var capacity: Int { 64 }
  /// The highest number that Linux gives; entries behind it count for nothing.
  static var mostNumber: UInt64 { 255 }

  package let disk: DiskGeometry
  package internal(set) var kind: TableKind?
  /// Why there are no partitions at all.
  package internal(set) var failure: TableFailure?
  /// Why there may be more logical partitions than were found.
  package internal(set) var chainProblem: ChainProblem?
  /// What is wrong with a GPT that could be used.
  package internal(set) var note: TableNote?
  package private(set) var count = 0
  private let inPlace = InPlace()
  private var partitions: InlineArray<64, Partition>

  init(_ disk: DiskGeometry) {
    self.disk = disk
    partitions = InlineArray(
      repeating: Partition(number: 0, first: 0, count: 0, type: .mbr(0), identifier: .mbr(signature: 0, number: 0)))
  }

  /// Partition `index`, in the order of the table.
  package subscript(index: Int) -> Partition {
    precondition(index < count)
    return partitions[index]
  }

  /// Adds a partition, with the problems that it has by itself.
  /// - Returns: Whether there was room.
  mutating func append(_ partition: Partition) -> Bool {
    guard count < Self.capacity else { return false }
    partitions[count] = partition
    if partition.problem == nil, !fits(partition.first, count: partition.count, in: disk.sectorCount) {
      partitions[count].problem = .beyondDisk
    }
    count += 1
    return true
  }

  mutating func removeAll() { count = 0 }

  /// Marks what contains a sector of the table itself: whoever has it could give himself the rest of the disk.
  mutating func protect(_ sector: UInt64) {
    for index in 0..<count where !partitions[index].isExtended && partitions[index].contains(sector) {
      partitions[index].problem = .coversTable
    }
  }

  /// Marks partitions that share sectors. Logical partitions are inside the extended one, which is as it should be.
  mutating func markOverlaps() {
    for index in 0..<count {
      for other in 0..<index where partitions[index].overlaps(partitions[other]) {
        let isInside =
          partitions[other].isExtended && partitions[index].number >= MasterBootRecord.firstLogical
        if isInside { continue }
        mark(index, overlaps: other)
        mark(other, overlaps: index)
      }
    }
  }

  private mutating func mark(_ index: Int, overlaps other: Int) {
    if partitions[index].problem == nil { partitions[index].problem = .overlaps(partitions[other].number) }
  }
}

/// Which kind of table a disk has, and what tells that disk from others.
package enum TableKind: Equatable, Sendable {
  case mbr(signature: UInt32)
  case gpt(GUID)
}
