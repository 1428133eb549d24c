// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What a guest asks of its disk, checked: nothing of it needs to be looked at again.
package enum BlockRequest: Equatable, Sendable {
  /// Sectors to be read; `VirtualDisk.extents` says where from.
  case read(SectorRange)
  case write(DiskRange)
  /// All writes that were completed before are to be safe from a loss of power.
  case flush
  /// The disk's name: 20 bytes, zero-padded.
  case identify
  /// So many bytes of segments, for `ClearList`: the contents may be forgotten.
  case discard(segmentBytes: Int)
  /// So many bytes of segments, for `ClearList`: the contents become zero.
  case writeZeroes(segmentBytes: Int)

  /// Bytes of the header.
  package static var headerSize: Int { 16 }
  /// Bytes of the name that `identify` asks for (virtio 1.2, §5.2.6).
  package static var nameSize: Int { 20 }
}
