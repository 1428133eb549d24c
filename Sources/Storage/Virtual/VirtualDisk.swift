// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// What a guest sees of a partition:
//
//   virtual   │ made up: the table │ the partition's sectors │ made up: 1 MiB, a backup GPT at its end │
//             0                  prefix                prefix + count                          sectorCount
//   real disk                      └──► first … first + count
//
// The prefix is 1 MiB and as much as the partition is off a multiple of 1 MiB, so that an address of the virtual disk
// is aligned as that of the real disk behind it. What is made up cannot be written: a tool that makes another table
// fails, and the partition is as it was.

/// A disk as one VM sees it: a whole disk, or one partition behind a made-up table.
///
/// This is the wall between VMs: whatever is asked for, no sector outside `real` is named.
/// - Invariant: `real` lies inside the disk; `sectorCount * sectorSize.bytes` fits 64 bits.
package struct VirtualDisk: Sendable {
  package let sectorSize: SectorSize
  package let isReadOnly: Bool
  /// The sectors of the real disk that may be named.
  package let real: DiskRange
  /// Made-up sectors before the real ones, and after them.
  let prefix: UInt64
  let suffix: UInt64
  let label: DiskLabel?

  /// All of a disk, as it is.
  package init(wholeOf disk: DiskGeometry, isReadOnly: Bool = false) {
    sectorSize = disk.sectorSize
    self.isReadOnly = isReadOnly
    real = DiskRange(first: 0, count: disk.sectorCount)
    (prefix, suffix, label) = (0, 0, nil)
  }

  /// One partition, checked once more against the disk's end.
  package init(
    _ partition: Partition, on disk: DiskGeometry, isReadOnly: Bool = false
  ) throws(PartitionProblem) {
    if let problem = partition.problem { throw problem }
    guard partition.count > 0 else { throw .reversed }
    guard fits(partition.first, count: partition.count, in: disk.sectorCount) else { throw .beyondDisk }
    sectorSize = disk.sectorSize
    self.isReadOnly = isReadOnly
    real = DiskRange(first: partition.first, count: partition.count)
    let offset = (partition.first * disk.sectorSize.bytes).bits(0, count: 20)
    prefix = (UInt64.MiB + offset) / disk.sectorSize.bytes
    let label = DiskLabel(for: partition, first: prefix, sectorSize: disk.sectorSize)
    suffix = label.suffix
    self.label = label
  }

  /// What the selector names on the disk of this table.
  package init(
    _ selector: DiskSelector, of table: borrowing PartitionTable, isReadOnly: Bool = false
  ) throws(LookupError) {
    guard case .partition(let selector) = selector else {
      self.init(wholeOf: table.disk, isReadOnly: isReadOnly)
      return
    }
    let partition = try table.find(selector)
    do throws(PartitionProblem) {
      try self.init(partition, on: table.disk, isReadOnly: isReadOnly)
    } catch {
      throw .unusable(partition.number, error)
    }
  }

  /// Sectors that the guest sees.
  package var sectorCount: UInt64 { prefix + real.count + suffix }

  /// What the guest sees in units of 512 bytes, in which virtio counts.
  package var capacity: UInt64 { sectorCount * sectorSize.units }

  /// Whether both cannot be used at once: some sector is in both, and one of them may be written through.
  package func conflicts(with other: VirtualDisk) -> Bool {
    guard !isReadOnly || !other.isReadOnly else { return false }
    return real.first < other.real.first + other.real.count && other.real.first < real.first + real.count
  }
}
