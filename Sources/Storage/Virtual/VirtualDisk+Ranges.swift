// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Sectors of a virtual disk that exist: only `VirtualDisk.range` makes them.
package struct SectorRange: Equatable, Sendable {
  /// The first, in the virtual disk's own sectors.
  package let first: UInt64
  package let count: UInt64

  fileprivate init(first: UInt64, count: UInt64) {
    self.first = first
    self.count = count
  }
}

/// Why a guest may not have the sectors that it named.
package enum RangeProblem: Error, Equatable, Sendable {
  case empty
  /// It begins or ends within a sector.
  case unaligned
  /// Some of it is beyond the end of the virtual disk.
  case beyondEnd
  /// Some of it is made up, and cannot be written.
  case madeUp
}

/// A part of what was asked for that comes from one place.
package enum DiskExtent: Equatable, Sendable {
  /// Sectors of the real disk.
  case disk(DiskRange)
  /// So many bytes from this byte of the virtual disk: `VirtualDisk.makeUp` writes them.
  case madeUp(offset: UInt64, count: UInt64)
}

extension VirtualDisk {
  /// The sectors that a request names by its first unit of 512 bytes and its length, checked from first to last.
  package func range(unit: UInt64, bytes: UInt64) throws(RangeProblem) -> SectorRange {
    guard bytes > 0 else { throw .empty }
    guard bytes.isAligned(to: sectorSize.bytes), unit.isAligned(to: sectorSize.units) else { throw .unaligned }
    let range = SectorRange(first: unit / sectorSize.units, count: bytes / sectorSize.bytes)
    guard fits(range.first, count: range.count, in: sectorCount) else { throw .beyondEnd }
    return range
  }

  /// The real sectors of a range of which nothing is made up.
  package func realSectors(_ range: SectorRange) throws(RangeProblem) -> DiskRange {
    // Another disk's range is no better than a guest's claim.
    guard range.first >= prefix, fits(range.first - prefix, count: range.count, in: real.count) else { throw .madeUp }
    return DiskRange(first: real.first + (range.first - prefix), count: range.count)
  }

  /// The parts of a range, in order.
  package func extents(_ range: SectorRange) -> DiskExtents { DiskExtents(disk: self, range: range) }

  /// The first part of `count` sectors from `sector` on.
  fileprivate func extent(_ sector: UInt64, count: UInt64) -> (extent: DiskExtent, count: UInt64)? {
    guard fits(sector, count: count, in: sectorCount) else { return nil }
    if sector >= prefix, sector - prefix < real.count {
      let part = min(count, real.count - (sector - prefix))
      return (.disk(DiskRange(first: real.first + (sector - prefix), count: part)), part)
    }
    let part = sector < prefix ? min(count, prefix - sector) : count
    return (.madeUp(offset: sector * sectorSize.bytes, count: part * sectorSize.bytes), part)
  }
}

/// The parts of a range, one by one: at most three.
package struct DiskExtents: Sendable {
  private let disk: VirtualDisk
  private var sector: UInt64
  private var left: UInt64

  fileprivate init(disk: VirtualDisk, range: SectorRange) {
    self.disk = disk
    (sector, left) = (range.first, range.count)
  }

  /// The next part; `nil` after the last.
  package mutating func next() -> DiskExtent? {
    guard left > 0, let (extent, count) = disk.extent(sector, count: left) else { return nil }
    sector += count
    left -= count
    return extent
  }
}
