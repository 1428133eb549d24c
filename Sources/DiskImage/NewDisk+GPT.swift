// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Storage

/// A GPT with both its headers (UEFI 2.10, §5.3).
extension NewDisk {
  private static let entrySize = 128
  private static let entryCount = 128
  private static var arraySectors: Int { entrySize * entryCount / sector }
  private static let linux = GUID(0x0fc6_3daf, 0x8483, 0x4772, 0x8e79, 0x3d69_d847_7de4)

  private var lastSector: Int { size / Self.sector - 1 }

  var tableOfGUIDs: [(offset: Int, bytes: [UInt8])] {
    let entries = entries
    let backup = lastSector - Self.arraySectors
    let first = header(at: 1, alternate: lastSector, entriesAt: 2, entries.checksum)
    let second = header(at: lastSector, alternate: 1, entriesAt: backup, entries.checksum)
    return [
      (0, protectiveRecord), (Self.sector, first), (2 * Self.sector, entries), (backup * Self.sector, entries),
      (lastSector * Self.sector, second),
    ]
  }

  private var protectiveRecord: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.sector)
    bytes.storeEntry(0, type: 0xee, first: 1, count: lastSector)
    bytes.store(UInt16(0xaa55), at: 510)
    return bytes
  }

  private var entries: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.entrySize * Self.entryCount)
    for (index, partition) in partitions.enumerated() {
      let place = (partition.number - 1) * Self.entrySize
      let (first, count) = extent(index)
      bytes.store(Self.linux, at: place)
      bytes.store(partition.identifier ?? identifier(partition.number), at: place + 16)
      bytes.store(UInt64(first), at: place + 32)
      bytes.store(UInt64(first + count - 1), at: place + 40)
      for (unit, value) in partition.name.utf16.prefix(36).enumerated() {
        bytes.store(value, at: place + 56 + 2 * unit)
      }
    }
    return bytes
  }

  private func header(at place: Int, alternate: Int, entriesAt: Int, _ entriesChecksum: UInt32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.sector)
    bytes.store(UInt64(0x5452_4150_2049_4645), at: 0)  // "EFI PART"
    bytes.store(UInt32(0x0001_0000), at: 8)
    bytes.store(UInt32(92), at: 12)
    bytes.store(UInt64(place), at: 24)
    bytes.store(UInt64(alternate), at: 32)
    bytes.store(UInt64(2 + Self.arraySectors), at: 40)
    bytes.store(UInt64(lastSector - Self.arraySectors - 1), at: 48)
    bytes.store(identifier(0), at: 56)
    bytes.store(UInt64(entriesAt), at: 72)
    bytes.store(UInt32(Self.entryCount), at: 80)
    bytes.store(UInt32(Self.entrySize), at: 84)
    bytes.store(entriesChecksum, at: 88)
    bytes.store([UInt8](bytes.prefix(92)).checksum, at: 16)
    return bytes
  }

  /// An identifier made from the disk's signature, of a form that is free for such use (RFC 9562, §5.8).
  private func identifier(_ number: Int) -> GUID {
    GUID(signature, UInt16(truncatingIfNeeded: number), 0x8000, 0x8000, 0x526f_6f73_7401)
  }
}
