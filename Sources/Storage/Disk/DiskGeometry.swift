// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How many bytes a disk reads or writes at least: its logical sector.
package enum SectorSize: UInt32, Sendable {
  case bytes512 = 512
  case bytes4096 = 4096

  /// Bytes of a sector.
  package var bytes: UInt64 { UInt64(rawValue) }

  /// Units of 512 bytes in a sector: virtio counts in these whatever the disk does (virtio 1.2, §5.2.4).
  package var units: UInt64 { bytes / 512 }
}

/// The size of a disk, as it told itself, checked so that byte counts do not overflow.
///
/// - Invariant: `sectorCount * sectorSize.bytes` fits 63 bits.
package struct DiskGeometry: Equatable, Sendable {
  package let sectorSize: SectorSize
  /// Sectors of `sectorSize`.
  package let sectorCount: UInt64

  /// `nil` if the disk claims to be impossibly large.
  package init?(sectorSize: SectorSize, sectorCount: UInt64) {
    guard sectorCount <= UInt64(Int64.max) / sectorSize.bytes else { return nil }
    self.sectorSize = sectorSize
    self.sectorCount = sectorCount
  }
}

/// Sectors of the real disk.
package struct DiskRange: Equatable, Sendable, BitwiseCopyable {
  /// The first sector, in the disk's own sectors.
  package let first: UInt64
  package let count: UInt64
}
