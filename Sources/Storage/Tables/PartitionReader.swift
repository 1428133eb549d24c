// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// Reading a partition table takes several sectors, each named by the one before, from a disk that answers later.
// So the reader is a machine that asks for sectors and is fed with them:
//
//   bootSector ─┬─► chain ─► chain … ─► finished           an MBR, with the links of its logical partitions
//               ├─► header ─► entries … ─► header ─► …     a GPT: the primary, then the backup in any case
//               │      └─► otherSectorSize ─► finished     neither is sound; only to tell people what is wrong
//               └─► strayHeader ─► finished                neither; only to tell people what is wrong
//
// A sector that cannot be read counts as one with nonsense in it. Every way ends: the chains have at most 60 links, no
// link twice, and each of the two entry arrays at most 4 MiB.
//
// Which entries are partitions, and which numbers they have, is as in Linux (block/partitions/msdos.c, efi.c): a table
// that others have written means what they were shown. Beyond it goes that a GPT's backup is used when the first is
// damaged, as Linux does when it is told `gpt`, and that entries of a GPT may be larger than 128 bytes.

/// Reads the partition table of a disk, be it MBR or GPT.
package struct PartitionReader: ~Copyable {
  /// The most bytes that are asked for at once.
  package static var bufferSize: Int { 4096 }

  /// What the reader wants next.
  package enum Step: Equatable, Sendable {
    /// These sectors: at most `bufferSize` bytes.
    case read(first: UInt64, count: UInt64)
    /// Nothing: `table` is complete.
    case done
    /// Nothing: there is no table, and `table` says so too.
    case failed(TableFailure)
  }

  enum Stage {
    case bootSector
    case strayHeader
    case chain
    case header(GPTHeader.Copy)
    case entries(GPTHeader.Copy)
    case otherSectorSize(TableFailure)
    case finished
  }

  /// What was found; to be used when a step says that it is done.
  package internal(set) var table: PartitionTable
  var stage = Stage.bootSector
  /// Bytes of the sectors that were asked for.
  private var expected: UInt64 = 0
  var chain = LogicalChain()
  var gpt = GPTProgress()

  package init(_ disk: DiskGeometry) { table = PartitionTable(disk) }

  /// Begins to read, from nothing.
  package mutating func start() -> Step {
    guard table.disk.sectorCount > 0 else { return fail(.noTable) }
    stage = .bootSector
    return read(0)
  }

  /// Takes the sectors that were asked for.
  package mutating func feed(_ bytes: borrowing RawSpan) -> Step {
    guard UInt64(bytes.byteCount) == expected else { return feedNothing() }
    switch stage {
    case .bootSector: return takeBootSector(bytes)
    case .strayHeader: return fail(GPTHeader.isSigned(bytes) ? .noProtectiveMBR : .noTable)
    case .chain: return takeLink(bytes)
    case .header(let copy): return takeHeader(bytes, copy)
    case .entries(let copy): return takeEntries(bytes, copy)
    case .otherSectorSize(let failure): return takeOther(bytes, failure)
    case .finished: return ended
    }
  }

  /// Takes the news that the disk could not read the sectors that were asked for.
  package mutating func feedNothing() -> Step {
    switch stage {
    case .bootSector: return fail(.unreadable)
    case .strayHeader: return fail(.noTable)
    case .chain: return breakChain(.unreadable)
    case .otherSectorSize(let failure): return fail(failure)
    case .header(let copy), .entries(let copy): return conclude(copy, .unreadable)
    case .finished: return ended
    }
  }

  private var ended: Step { table.failure.map { .failed($0) } ?? .done }

  /// Asks for sectors; what is not on the disk cannot be read, and is not asked for.
  mutating func read(_ first: UInt64, count: UInt64 = 1) -> Step {
    guard fits(first, count: count, in: table.disk.sectorCount) else { return feedNothing() }
    expected = count * table.disk.sectorSize.bytes
    return .read(first: first, count: count)
  }

  mutating func fail(_ failure: TableFailure) -> Step {
    stage = .finished
    table.removeAll()
    table.failure = failure
    return .failed(failure)
  }

  mutating func finish() -> Step {
    stage = .finished
    table.markOverlaps()
    return .done
  }
}
