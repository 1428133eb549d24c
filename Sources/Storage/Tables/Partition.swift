// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// One partition of a disk, as its table describes it.
package struct Partition: Sendable {
  /// As Linux counts: the entry's place from 1; logical partitions of an MBR from 5 in the order of their chain.
  package var number: UInt32
  /// The first sector, in the disk's own sectors.
  package var first: UInt64
  package var count: UInt64
  package var type: PartitionType
  package var identifier: PartitionIdentifier
  /// Its GPT name; empty in an MBR.
  package var name = PartitionName()
  /// Why it may not be given to anybody.
  package var problem: PartitionProblem?

  /// The last sector; meaningless if `count` is 0.
  var last: UInt64 {
    let (sum, overflow) = first.addingReportingOverflow(count &- 1)
    return overflow ? .max : sum
  }

  /// Whether it only holds the logical partitions.
  package var isExtended: Bool {
    if case .mbr(let byte) = type { return PartitionType.isExtended(byte) }
    return false
  }

  func contains(_ sector: UInt64) -> Bool { count > 0 && sector >= first && sector <= last }

  func overlaps(_ other: Partition) -> Bool {
    count > 0 && other.count > 0 && first <= other.last && other.first <= last
  }
}

/// What a partition is for, in its table's terms.
package enum PartitionType: Equatable, Sendable {
  case mbr(UInt8)
  case gpt(GUID)

  /// Whether a partition of this MBR type holds others: CHS, LBA and Linux's own.
  static func isExtended(_ byte: UInt8) -> Bool { byte == 0x05 || byte == 0x0f || byte == 0x85 }
}

/// What tells a partition from all others in the world, or nearly so: Linux's PARTUUID.
package enum PartitionIdentifier: Equatable, Sendable {
  /// The unique GUID of a GPT entry.
  case guid(GUID)
  /// The signature of an MBR's disk, and the number of the partition.
  case mbr(signature: UInt32, number: UInt32)

  /// An identifier from text: a GUID, or `xxxxxxxx-nn` in hexadecimal digits; `nil` if it is neither.
  package init?(text: borrowing RawSpan) {
    if let guid = GUID(text: text) {
      self = .guid(guid)
      return
    }
    guard text.byteCount == 11, text.unsignedByte(8) == 0x2d, let signature = text.hexadecimal(0, digits: 8),
      let number = text.hexadecimal(9, digits: 2)
    else { return nil }
    self = .mbr(signature: signature, number: number)
  }

  /// Writes the identifier's text.
  package func write(to line: inout LogLine) {
    switch self {
    case .guid(let guid): guid.write(to: &line)
    case .mbr(let signature, let number):
      line.append(magnitude: UInt64(signature), radix: 16, width: 8)
      line.append(byte: 0x2d)
      line.append(magnitude: UInt64(number), radix: 16, width: 2)
    }
  }
}

/// What is wrong with one partition, so that it may not be given to anybody.
package enum PartitionProblem: Error, Equatable, Sendable {
  /// It ends before it begins.
  case reversed
  /// A sector of it is beyond the end of the disk.
  case beyondDisk
  /// A sector of it is not where the GPT's header lets partitions be.
  case outsideUsable
  /// A logical partition leaves the extended partition that it is in.
  case outsideExtended
  /// It shares a sector with another partition, this one.
  case overlaps(UInt32)
  /// A part of the partition table is inside.
  case coversTable

  /// What is wrong, as the end of a sentence that begins with the partition.
  package var line: LogLine {
    switch self {
    case .reversed: "ends before it begins"
    case .beyondDisk: "goes beyond the end of the disk"
    case .outsideUsable: "is outside the sectors that the GPT header allows for partitions"
    case .outsideExtended: "leaves the extended partition that it belongs to"
    case .overlaps(let other): "overlaps partition \(other)"
    case .coversTable: "covers a part of the partition table"
    }
  }
}
