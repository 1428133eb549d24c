// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Where a chain of logical partitions is, and where it and those before it were.
struct LogicalChain {
  /// Links of all chains.
  static var capacity: Int { PartitionTable.capacity - 4 }

  /// The first partition of the table that may be an extended one whose chain was not followed yet.
  var next = 0
  /// The extended partition: the chain may not leave it, and its links count from its start.
  var first: UInt64 = 0
  var last: UInt64 = 0
  /// Sectors that the link which is being read has for itself.
  var linkSize: UInt64 = 0
  /// The sectors of the links, in order.
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
    guard MasterBootRecord.isSigned(sector) else { return findStrayHeader() }
    var isProtective = false
    for index in 0..<4 where MasterBootRecord.entry(index, sector).type == MasterBootRecord.protectiveType {
      // As Linux does: beside that entry others may stand, and count for nothing.
      if MasterBootRecord.entry(index, sector).start == 1 { return begin(.primary) }
      isProtective = true
    }
    guard MasterBootRecord.makesSense(sector) else { return findStrayHeader() }
    return isProtective ? fail(.badProtectiveMBR) : takePrimaryPartitions(sector)
  }

  private mutating func findStrayHeader() -> Step {
    stage = .strayHeader
    return read(1)
  }

  private mutating func takePrimaryPartitions(_ sector: borrowing RawSpan) -> Step {
    let signature = MasterBootRecord.signature(sector)
    table.kind = .mbr(signature: signature)
    for index in 0..<4 {
      let entry = MasterBootRecord.entry(index, sector)
      guard !entry.isEmpty else { continue }
      _ = table.append(partition(UInt32(index) + 1, at: UInt64(entry.start), entry, signature))
    }
    return followNextChain()
  }

  private func partition(
    _ number: UInt32, at first: UInt64, _ entry: MasterBootRecord.Entry, _ signature: UInt32
  ) -> Partition {
    Partition(
      number: number, first: first, count: UInt64(entry.count), type: .mbr(entry.type),
      identifier: .mbr(signature: signature, number: number))
  }

  // MARK: - Logical partitions

  /// Goes on to the next extended partition, of which there may be several.
  private mutating func followNextChain() -> Step {
    while chain.next < table.count, table[chain.next].number < MasterBootRecord.firstLogical {
      let partition = table[chain.next]
      chain.next += 1
      guard partition.isExtended else { continue }
      (chain.first, chain.last, chain.linkSize) = (partition.first, partition.last, partition.count)
      return followChain(to: partition.first)
    }
    return finishChains()
  }

  /// Entries of a link are partitions, counted from the link; the first of an extended type is the next link, counted
  /// from the extended partition's start. Its flags may be anything.
  mutating func takeLink(_ sector: borrowing RawSpan) -> Step {
    guard MasterBootRecord.isSigned(sector), case .mbr(let signature) = table.kind else {
      return breakChain(.malformed)
    }
    let place = chain.links[chain.linkCount - 1]
    var next: MasterBootRecord.Entry?
    for index in 0..<4 {
      let entry = MasterBootRecord.entry(index, sector)
      guard !entry.isEmpty else { continue }
      if PartitionType.isExtended(entry.type) {
        if next == nil { next = entry }
      } else if index < 2 || isWithinLink(entry, at: place) {
        guard appendLogical(at: place + UInt64(entry.start), entry, signature) else { return breakChain(.tooLong) }
      }
    }
    guard let next else { return followNextChain() }
    chain.linkSize = UInt64(next.count)
    return followChain(to: chain.first + UInt64(next.start))
  }

  /// Whether a third or fourth entry is a partition: many tools leave other things there.
  private func isWithinLink(_ entry: MasterBootRecord.Entry, at place: UInt64) -> Bool {
    let end = UInt64(entry.start) + UInt64(entry.count)
    return end <= chain.linkSize && place + end - 1 <= chain.last
  }

  /// Adds a partition, if there is room.
  private mutating func appendLogical(
    at first: UInt64, _ entry: MasterBootRecord.Entry, _ signature: UInt32
  ) -> Bool {
    var number = MasterBootRecord.firstLogical
    if table.count > 0, table[table.count - 1].number >= number { number = table[table.count - 1].number + 1 }
    var logical = partition(number, at: first, entry, signature)
    if logical.first < chain.first || logical.last > chain.last { logical.problem = .outsideExtended }
    return table.append(logical)
  }

  private mutating func followChain(to sector: UInt64) -> Step {
    guard sector < table.disk.sectorCount else { return breakChain(.beyondDisk) }
    do throws(ChainProblem) {
      try chain.follow(sector)
    } catch {
      return breakChain(error)
    }
    stage = .chain
    return read(sector)
  }

  /// Ends a chain where it cannot be followed. What else there is has no number then, but where the end is one for
  /// Linux too, which goes on with the next extended partition.
  mutating func breakChain(_ problem: ChainProblem) -> Step {
    table.chainProblem = problem
    return problem == .malformed || problem == .beyondDisk ? followNextChain() : finishChains()
  }

  private mutating func finishChains() -> Step {
    table.protect(0)
    for index in 0..<chain.linkCount { table.protect(chain.links[index]) }
    return finish()
  }
}
