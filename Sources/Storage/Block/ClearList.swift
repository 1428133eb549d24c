// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What becomes of sectors that are cleared.
package enum ClearPurpose: Sendable {
  case discard
  case writeZeroes
}

/// Sectors that are to be cleared.
package struct ClearSegment: Equatable, Sendable {
  /// Bytes in which a guest describes one.
  package static var size: Int { 16 }

  package let sectors: DiskRange
  /// Zeroes may be had by giving the space back ("unmap").
  package let mayForget: Bool
}

/// The segments of one discard or write-zeroes request, all of them checked: none is done if one is bad.
package struct ClearList: Sendable {
  /// The most segments of a request.
  package static var capacity: Int { 16 }

  package private(set) var count = 0
  private var segments = InlineArray<16, ClearSegment>(
    repeating: ClearSegment(sectors: DiskRange(first: 0, count: 0), mayForget: false))

  /// - Parameter bytes: What the guest sent after the header, copied once from its memory.
  package init(
    _ bytes: borrowing RawSpan, _ purpose: ClearPurpose, _ rules: BlockRules
  ) throws(BlockRefusal) {
    guard bytes.byteCount % ClearSegment.size == 0 else { throw .length }
    guard bytes.byteCount <= Self.capacity * ClearSegment.size else { throw .tooLong }
    for index in 0..<(bytes.byteCount / ClearSegment.size) {
      segments[index] = try rules.segment(bytes, at: index * ClearSegment.size, purpose)
      count += 1
    }
  }

  package subscript(index: Int) -> ClearSegment {
    precondition(index < count)
    return segments[index]
  }
}

extension BlockRules {
  /// Checks the segment of a discard or write-zeroes request (virtio 1.2, §5.2.6.2).
  fileprivate func segment(
    _ bytes: borrowing RawSpan, at offset: Int, _ purpose: ClearPurpose
  ) throws(BlockRefusal) -> ClearSegment {
    guard let unit: UInt64 = bytes.load(offset), let units: UInt32 = bytes.load(offset + 8),
      let flags: UInt32 = bytes.load(offset + 12)
    else { throw .length }
    // Bit 0 is "unmap", for write zeroes alone; no other means anything.
    guard flags == 0 || (flags == 1 && purpose == .writeZeroes) else { throw .flags }
    guard units <= (purpose == .discard ? limits.discardUnits : limits.writeZeroesUnits) else { throw .tooLong }
    do throws(RangeProblem) {
      let range = try disk.range(unit: unit, bytes: UInt64(units) * 512)
      return ClearSegment(sectors: try disk.realSectors(range), mayForget: flags == 1)
    } catch {
      throw .range(error)
    }
  }
}
