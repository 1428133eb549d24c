// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Storage

/// A disk made of the sectors that were written; all others are zero.
struct SampleDisk {
  let geometry: DiskGeometry
  var sectors: [UInt64: [UInt8]] = [:]
  var unreadable: Set<UInt64> = []

  init(_ sectorSize: SectorSize = .bytes512, sectors count: UInt64) {
    guard let geometry = DiskGeometry(sectorSize: sectorSize, sectorCount: count) else {
      preconditionFailure("a test asks for a possible disk")
    }
    self.geometry = geometry
  }

  var size: Int { Int(geometry.sectorSize.bytes) }

  subscript(sector: UInt64) -> [UInt8] {
    get { sectors[sector] ?? [UInt8](repeating: 0, count: size) }
    set { sectors[sector] = newValue }
  }

  mutating func store<T: FixedWidthInteger>(_ value: T, _ sector: UInt64, _ offset: Int) {
    var bytes = self[sector]
    for index in 0..<(T.bitWidth / 8) { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> T(8 * index)) }
    self[sector] = bytes
  }

  mutating func store(_ guid: GUID, _ sector: UInt64, _ offset: Int) {
    for index in 0..<16 { store(guid.bytes[index], sector, offset + index) }
  }

  // MARK: - MBR

  static var signature: UInt32 { 0x1234_abcd }

  /// Makes a sector an MBR or a link of a chain.
  mutating func sign(_ sector: UInt64 = 0) {
    store(UInt16(0xaa55), sector, 510)
    if sector == 0 { store(Self.signature, 0, 440) }
  }

  /// Writes entry `index`, from 0, of an MBR or a link, and signs it.
  mutating func put(_ index: Int, type: UInt8, start: UInt32, count: UInt32, in sector: UInt64 = 0) {
    sign(sector)
    let offset = 446 + 16 * index
    store(UInt8(0), sector, offset)
    store(type, sector, offset + 4)
    store(start, sector, offset + 8)
    store(count, sector, offset + 12)
  }

  /// A link at `place` with one logical partition, and the next link if there is one; both relative, as on disk.
  mutating func link(at place: UInt64, start: UInt32, count: UInt32, next: UInt32? = nil) {
    put(0, type: 0x83, start: start, count: count, in: place)
    if let next { put(1, type: 0x05, start: next, count: 100, in: place) }
  }

  // MARK: - Reading

  func read() -> Reading { Reading(self) }
}

/// A reader that was run to its end, and what it asked for.
final class Reading {
  private var reader: PartitionReader
  private(set) var end = PartitionReader.Step.done
  private(set) var reads: [Range<UInt64>] = []

  init(_ disk: SampleDisk) {
    reader = PartitionReader(disk.geometry)
    var step = reader.start()
    while case .read(let first, let count) = step {
      let isFit = count > 0 && fits(first, count: count, in: disk.geometry.sectorCount)
      guard isFit, count * disk.geometry.sectorSize.bytes <= UInt64(PartitionReader.bufferSize), reads.count < 3000
      else {
        Issue.record("asked for \(count) sectors from \(first) in step \(reads.count)")
        break
      }
      reads.append(first..<(first + count))
      if (first..<(first + count)).contains(where: disk.unreadable.contains) {
        step = reader.feedNothing()
      } else {
        let bytes = (first..<(first + count)).flatMap { disk[$0] }
        step = reader.feed(bytes.span.bytes)
      }
    }
    end = step
  }

  var partitions: [Partition] { (0..<reader.table.count).map { reader.table[$0] } }
  var numbers: [UInt32] { partitions.map(\.number) }
  var problems: [PartitionProblem?] { partitions.map(\.problem) }
  var kind: TableKind? { reader.table.kind }
  var failure: TableFailure? { reader.table.failure }
  var chainProblem: ChainProblem? { reader.table.chainProblem }
  var note: TableNote? { reader.table.note }

  func find(_ selector: PartitionSelector) throws(LookupError) -> Partition { try reader.table.find(selector) }

  /// What a search ended with, or `nil` for success.
  func refusal(_ selector: PartitionSelector) -> LookupError? {
    do throws(LookupError) {
      _ = try find(selector)
      return nil
    } catch {
      return error
    }
  }

  func virtualDisk(_ selector: DiskSelector, isReadOnly: Bool = false) throws(LookupError) -> VirtualDisk {
    try VirtualDisk(selector, of: reader.table, isReadOnly: isReadOnly)
  }
}

extension LogLine {
  var text: String { String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self) }
}

func name(_ text: String) -> PartitionName? { PartitionName(utf8: Array(text.utf8).span.bytes) }
func guid(_ text: String) -> GUID? { GUID(text: Array(text.utf8).span.bytes) }
func identifier(_ text: String) -> PartitionIdentifier? { PartitionIdentifier(text: Array(text.utf8).span.bytes) }
