// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a device takes of its guest: everything that decides whether a request is good.
package struct BlockRules: Sendable {
  package let disk: VirtualDisk
  package let limits: BlockLimits

  package init(disk: VirtualDisk, limits: BlockLimits) {
    self.disk = disk
    self.limits = limits
  }

  /// Checks a request.
  /// - Parameters:
  ///   - header: The first bytes that the device may read, copied once from the guest's memory.
  ///   - outgoing: Bytes after the header that the device may read.
  ///   - incoming: Bytes that the device may write, without the status byte.
  package func check(
    header: borrowing RawSpan, outgoing: UInt64, incoming: UInt64
  ) throws(BlockRefusal) -> BlockRequest {
    guard header.byteCount == BlockRequest.headerSize, let type: UInt32 = header.load(0),
      let unit: UInt64 = header.load(8)
    else { throw .header }
    guard let kind = Kind(rawValue: type) else { throw .type(type) }
    switch kind {
    case .read:
      guard outgoing == 0 else { throw .length }
      return .read(try range(unit, bytes: incoming))
    case .write:
      guard !disk.isReadOnly else { throw .readOnly }
      guard incoming == 0 else { throw .length }
      return .write(try realSectors(try range(unit, bytes: outgoing)))
    case .flush:
      return .flush
    case .identify:
      guard outgoing == 0, incoming == UInt64(BlockRequest.nameSize) else { throw .length }
      return .identify
    case .discard:
      guard limits.discardUnits > 0 else { throw .type(type) }
      return .discard(segmentBytes: try segmentBytes(outgoing, incoming, limits.discardSegments))
    case .writeZeroes:
      guard limits.writeZeroesUnits > 0 else { throw .type(type) }
      return .writeZeroes(segmentBytes: try segmentBytes(outgoing, incoming, limits.writeZeroesSegments))
    }
  }

  /// The types of request that may be offered (virtio 1.2, §5.2.6).
  private enum Kind: UInt32 {
    case read = 0
    case write = 1
    case flush = 4
    case identify = 8
    case discard = 11
    case writeZeroes = 13
  }

  private func range(_ unit: UInt64, bytes: UInt64) throws(BlockRefusal) -> SectorRange {
    guard bytes <= limits.dataBytes else { throw .tooLong }
    do throws(RangeProblem) {
      return try disk.range(unit: unit, bytes: bytes)
    } catch {
      throw .range(error)
    }
  }

  private func realSectors(_ range: SectorRange) throws(BlockRefusal) -> DiskRange {
    do throws(RangeProblem) {
      return try disk.realSectors(range)
    } catch {
      throw .range(error)
    }
  }

  private func segmentBytes(
    _ outgoing: UInt64, _ incoming: UInt64, _ maximum: UInt32
  ) throws(BlockRefusal) -> Int {
    guard !disk.isReadOnly else { throw .readOnly }
    let size = UInt64(ClearSegment.size)
    guard incoming == 0, outgoing > 0, outgoing % size == 0 else { throw .length }
    guard outgoing / size <= UInt64(min(maximum, UInt32(ClearList.capacity))) else { throw .tooLong }
    return Int(outgoing)
  }
}
