// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Storage

/// A GPT for a new disk, with both its headers and the protective record before it (UEFI 2.10, §5.2.3 and §5.3).
package struct TableOfGUIDs: Sendable {
  private static let sector = 512
  private static let entrySize = 128
  private static let entryCount = 128
  private static let arraySectors = entrySize * entryCount / sector

  /// A partition; its first sector and how many it has lie between the two copies of the table.
  package struct Entry: Sendable {
    /// From 1 to 128.
    package var number: Int
    package var type: GUID
    package var identifier: GUID
    /// What is longer than 36 UTF-16 units is cut.
    package var name: String
    package var first: Int
    package var count: Int

    package init(number: Int, type: GUID, identifier: GUID, name: String, first: Int, count: Int) {
      self.number = number
      self.type = type
      self.identifier = identifier
      self.name = name
      self.first = first
      self.count = count
    }
  }

  /// Which disk this is.
  package var identifier: GUID
  /// Sectors of the disk.
  package var sectors: Int
  package var entries: [Entry]

  package init(identifier: GUID, sectors: Int, entries: [Entry]) {
    self.identifier = identifier
    self.sectors = sectors
    self.entries = entries
  }

  /// Sectors behind the last partition that the table's second copy takes.
  package static let tail = arraySectors + 1

  /// What is written to the disk, each at its byte.
  package var contents: [(offset: Int, bytes: [UInt8])] {
    let array = array
    let last = sectors - 1
    let backup = last - Self.arraySectors
    let first = header(at: 1, alternate: last, entriesAt: 2, array.checksum)
    let second = header(at: last, alternate: 1, entriesAt: backup, array.checksum)
    return [
      (0, protectiveRecord), (Self.sector, first), (2 * Self.sector, array), (backup * Self.sector, array),
      (last * Self.sector, second),
    ]
  }

  private var protectiveRecord: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.sector)
    bytes.storeEntry(0, type: 0xee, first: 1, count: sectors - 1)
    bytes.store(UInt16(0xaa55), at: 510)
    return bytes
  }

  private var array: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.entrySize * Self.entryCount)
    for entry in entries {
      let place = (entry.number - 1) * Self.entrySize
      bytes.store(entry.type, at: place)
      bytes.store(entry.identifier, at: place + 16)
      bytes.store(UInt64(entry.first), at: place + 32)
      bytes.store(UInt64(entry.first + entry.count - 1), at: place + 40)
      for (unit, value) in entry.name.utf16.prefix(36).enumerated() { bytes.store(value, at: place + 56 + 2 * unit) }
    }
    return bytes
  }

  private func header(at place: Int, alternate: Int, entriesAt: Int, _ arrayChecksum: UInt32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.sector)
    bytes.store(UInt64(0x5452_4150_2049_4645), at: 0)  // "EFI PART"
    bytes.store(UInt32(0x0001_0000), at: 8)
    bytes.store(UInt32(92), at: 12)
    bytes.store(UInt64(place), at: 24)
    bytes.store(UInt64(alternate), at: 32)
    bytes.store(UInt64(2 + Self.arraySectors), at: 40)
    bytes.store(UInt64(sectors - 1 - Self.arraySectors - 1), at: 48)
    bytes.store(identifier, at: 56)
    bytes.store(UInt64(entriesAt), at: 72)
    bytes.store(UInt32(Self.entryCount), at: 80)
    bytes.store(UInt32(Self.entrySize), at: 84)
    bytes.store(arrayChecksum, at: 88)
    bytes.store([UInt8](bytes.prefix(92)).checksum, at: 16)
    return bytes
  }
}
