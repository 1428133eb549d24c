// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Why a disk has no partition table that can be used.
package enum TableFailure: Error, Equatable, Sendable {
  /// Sector 0 could not be read.
  case unreadable
  /// Sector 0 is no partition table.
  case noTable
  /// There is a GPT, but no MBR that says so (UEFI 2.10, §5.2.3).
  case noProtectiveMBR
  /// The MBR's entry for the GPT does not begin at sector 1 (UEFI 2.10, §5.2.3).
  case badProtectiveMBR
  /// Neither the GPT at the start nor that at the end of the disk is sound.
  case bothDamaged(primary: HeaderProblem, backup: HeaderProblem)
  /// There is a GPT where one begins that was made with sectors of this size, which the disk has not.
  case otherSectorSize(made: SectorSize)
  /// More partitions than `PartitionTable.capacity`.
  case tooManyPartitions

  /// What is wrong, as the end of a sentence that begins with the disk.
  package var line: LogLine {
    switch self {
    case .unreadable: return "cannot be read"
    case .noTable: return "has no partition table"
    case .noProtectiveMBR: return "has a GPT, but no protective MBR in sector 0"
    case .badProtectiveMBR: return "has a protective MBR that does not begin at sector 1"
    case .bothDamaged(let primary, let backup):
      return "has no sound GPT: first \(primary.phrase); backup \(backup.phrase)"
    case .otherSectorSize(let made):
      return "has a GPT made for sectors of \(made.rawValue) bytes, and has others: make it anew on this disk"
    case .tooManyPartitions: return "has more than \(PartitionTable.capacity) partitions"
    }
  }
}

/// What is wrong with a GPT header or the entry array that it names (UEFI 2.10, §5.3.2).
package enum HeaderProblem: Error, Equatable, Sendable {
  case unreadable
  case noSignature
  case headerSize
  case headerChecksum
  /// It says that it is in another sector.
  case misplaced
  /// The first or last sector for partitions makes no sense on this disk.
  case usableSectors
  /// An entry's size is not 128 times a power of two, or above 4096.
  case entrySize
  /// No entries, or more than 4 MiB of them.
  case entryCount
  /// The entry array is not on the disk, or covers a header or partitions.
  case entryPlace
  case entryChecksum

  /// What is wrong, in few words.
  package var phrase: StaticString {
    switch self {
    case .unreadable: "cannot be read"
    case .noSignature: "has no signature"
    case .headerSize: "has a wrong size"
    case .headerChecksum: "has a wrong checksum"
    case .misplaced: "names another sector as its own"
    case .usableSectors: "has wrong usable sectors"
    case .entrySize: "has a wrong entry size"
    case .entryCount: "has a wrong entry count"
    case .entryPlace: "has misplaced entries"
    case .entryChecksum: "has entries with a wrong checksum"
    }
  }
}

/// What is wrong with a chain of logical partitions: it ends there, and those before have their numbers.
package enum ChainProblem: Error, Equatable, Sendable {
  case unreadable
  /// A link of it has no signature.
  case malformed
  /// It leads beyond the end of the disk.
  case beyondDisk
  /// It comes back to a sector where it was.
  case loop
  /// It leads out of the extended partition.
  case outsideExtended
  /// More links than `PartitionTable.capacity` allows.
  case tooLong

  /// What is wrong, as the end of a sentence that begins with the chain of logical partitions.
  package var phrase: StaticString {
    switch self {
    case .unreadable: "cannot be read"
    case .malformed: "has a malformed link"
    case .beyondDisk: "goes beyond the end of the disk"
    case .loop: "is a loop"
    case .outsideExtended: "leaves the extended partition"
    case .tooLong: "is too long"
    }
  }
}

/// What people should know of a GPT that can be used all the same.
package enum TableNote: Equatable, Sendable {
  /// The GPT at the start of the disk is damaged: the backup was used.
  case primaryDamaged(HeaderProblem)
  /// The backup is damaged: nothing is left if the first is lost.
  case backupDamaged(HeaderProblem)
  /// Both are sound, but not the same; the first was used.
  case backupDiffers

  /// What is wrong, as the end of a sentence that begins with the disk.
  package var line: LogLine {
    switch self {
    case .primaryDamaged(let problem): "uses its backup GPT: the first \(problem.phrase)"
    case .backupDamaged(let problem): "has a damaged backup GPT, which \(problem.phrase)"
    case .backupDiffers: "has a backup GPT that differs from the first, which is used"
    }
  }
}
