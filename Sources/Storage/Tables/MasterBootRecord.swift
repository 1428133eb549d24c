// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The record in a disk's first sector, and each link of a chain of logical partitions (UEFI 2.10, §5.2.1).
enum MasterBootRecord {
  /// The number of the first logical partition.
  static var firstLogical: UInt32 { 5 }
  /// The type of the entry that says that there is a GPT (UEFI 2.10, §5.2.3).
  static var protectiveType: UInt8 { 0xee }

  /// One of the four entries.
  struct Entry {
    let isActive: UInt8
    let type: UInt8
    let start: UInt32
    let count: UInt32

    /// Only the size counts: Linux has a partition also where the type is 0.
    var isEmpty: Bool { count == 0 }
    /// The byte is a flag, in bit 7; a file system's boot sector has other things here.
    var makesSense: Bool { isActive & 0x7f == 0 }
  }

  static func isSigned(_ sector: borrowing RawSpan) -> Bool { sector.load(510, as: UInt16.self) == 0xaa55 }

  /// What tells the disk from others.
  static func signature(_ sector: borrowing RawSpan) -> UInt32 { sector.load(440) ?? 0 }

  /// Entry `index`, 0 to 3.
  static func entry(_ index: Int, _ sector: borrowing RawSpan) -> Entry {
    let offset = 446 + 16 * index
    return Entry(
      isActive: sector.load(offset) ?? 0xff, type: sector.load(offset + 4) ?? 0, start: sector.load(offset + 8) ?? 0,
      count: sector.load(offset + 12) ?? 0)
  }

  /// Whether the entries of a record look like entries.
  static func makesSense(_ sector: borrowing RawSpan) -> Bool {
    for index in 0..<4 where !entry(index, sector).makesSense { return false }
    return true
  }
}
