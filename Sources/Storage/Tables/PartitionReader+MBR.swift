// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Where a chain of logical partitions is, and where it was.
struct LogicalChain {
  /// Partitions that are left beside the four primary ones.
  static var capacity: Int { PartitionTable.capacity - 4 }

  /// The extended partition: the chain may not leave it, and its links count from its start.
  var first: UInt64 = 0
  var last: UInt64 = 0
  /// The sectors of its links, in order.
  var links = InlineArray<60, UInt64>(repeating: 0)
  var linkCount = 0

  /// Goes on to the link in `sector`.
  mutating func follow(_ sector: UInt64) throws(ChainProblem) {
    guard sector >= first, sector <= last else { throw .outsideExtended }
    for index in 0..<linkCount where links[index] == sector { throw .loop }
    guard linkCount < Self.capacity else { throw .tooLong }
    links[linkCount] = sector
    linkCount += 1
  }
}

// MARK: - MBR

extension PartitionReader {
  mutating func takeBootSector(_ sector: borrowing RawSpan) -> Step {
    guard MasterBootRecord.isSound(sector) else {
      stage = .strayHeader
      return read(1)
    }
    var isProtective = false
    for index in 0..<4 where MasterBootRecord.entry(index, sector).type == MasterBootRecord.protectiveType {
      // As Linux does: beside that entry others may stand, and count for nothing.
      if MasterBootRecord.entry(index, sector).start == 1 { return begin(.primary) }
      isProtective = true
    }
    return isProtective ? fail(.badProtectiveMBR) : takePrimaryPartitions(sector)
  }

  private mutating func takePrimaryPartitions(_ sector: borrowing RawSpan) -> Step {
    let signature = MasterBootRecord.signature(sector)
    table.kind = .mbr(signature: signature)
    var extended: Partition?
    for index in 0..<4 {
      let entry = MasterBootRecord.entry(index, sector)
      guard !entry.isEmpty else { continue }
      let partition = partition(UInt32(index) + 1, at: UInt64(entry.start), entry, signature)
      _ = table.append(partition)
      guard partition.isExtended else { continue }
      if extended != nil { table.chainProblem = .severalExtended }
      extended = partition
    }
    guard let extended, table.chainProblem == nil else { return finishChain() }
    guard fits(extended.first, count: extended.count, in: table.disk.sectorCount) else {
      return breakChain(.beyondDisk)
    }
    (chain.first, chain.last) = (extended.first, extended.last)
    return followChain(to: extended.first)
  }

  private func partition(
    _ number: UInt32, at first: UInt64, _ entry: MasterBootRecord.Entry, _ signature: UInt32
  ) -> Partition {
    Partition(
      number: number, first: first, count: UInt64(entry.count), type: .mbr(entry.type),
      identifier: .mbr(signature: signature, number: number))
  }

  // MARK: - Logical partitions

  /// One entry of a link is a partition, counted from the link; one is the next link, counted from the extended
  /// partition's start.
  mutating func takeLink(_ sector: borrowing RawSpan) -> Step {
    guard MasterBootRecord.isSound(sector), case .mbr(let signature) = table.kind else {
      return breakChain(.malformed)
    }
    var next: UInt64?
    var hasPartition = false
    let place = chain.links[chain.linkCount - 1]
    for index in 0..<4 {
      let entry = MasterBootRecord.entry(index, sector)
      guard !entry.isEmpty else { continue }
      if PartitionType.isExtended(entry.type) {
        guard next == nil else { return breakChain(.malformed) }
        next = chain.first + UInt64(entry.start)
      } else {
        guard !hasPartition else { return breakChain(.malformed) }
        hasPartition = true
        appendLogical(at: place + UInt64(entry.start), entry, signature)
      }
    }
    guard let next else { return finishChain() }
    return followChain(to: next)
  }

  private mutating func appendLogical(at first: UInt64, _ entry: MasterBootRecord.Entry, _ signature: UInt32) {
    var number = MasterBootRecord.firstLogical
    if table.count > 0, table[table.count - 1].number >= number { number = table[table.count - 1].number + 1 }
    var logical = partition(number, at: first, entry, signature)
    if logical.first < chain.first || logical.last > chain.last { logical.problem = .outsideExtended }
    // There is room: at most four primary partitions, and one for each link.
    _ = table.append(logical)
  }

  private mutating func followChain(to sector: UInt64) -> Step {
    do throws(ChainProblem) {
      try chain.follow(sector)
    } catch {
      return breakChain(error)
    }
    stage = .chain
    return read(sector)
  }

  mutating func breakChain(_ problem: ChainProblem) -> Step {
    table.chainProblem = problem
    return finishChain()
  }

  private mutating func finishChain() -> Step {
    table.protect(0)
    for index in 0..<chain.linkCount { table.protect(chain.links[index]) }
    return finish()
  }
}
