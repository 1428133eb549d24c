// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Storage

/// A partition that a new disk is to have.
package struct NewPartition: Equatable, Sendable {
  package var number: Int
  package var name: String
  /// Its unique identifier in a GPT; one is made if it is `nil`.
  package var identifier: GUID?

  package init(number: Int, name: String = "", identifier: GUID? = nil) {
    self.number = number
    self.name = name
    self.identifier = identifier
  }
}

/// A disk that nobody has used yet, for an emulated computer: empty but for its partition table.
///
/// All partitions are of one size and lie one after the other, each on a whole MiB.
package struct NewDisk: Equatable, Sendable {
  static let sector = 512
  /// Sectors of a MiB.
  static let unit = 2048
  /// Bytes of a partition.
  package static let partitionSize = 64 << 20
  /// Partitions of an MBR without logical ones.
  private static let primaryCount = 4

  package var partitions: [NewPartition]
  /// What tells this disk from others in its MBR.
  package var signature: UInt32
  /// Whether something is asked for that an MBR has not.
  private var needsGPT: Bool {
    partitions.contains { $0.number > Self.primaryCount || !$0.name.isEmpty || $0.identifier != nil }
  }

  package init(partitions: [NewPartition], signature: UInt32) {
    self.partitions = partitions
    self.signature = signature
  }

  /// Bytes of the disk.
  package var size: Int { (2 << 20) + max(partitions.count, 4) * Self.partitionSize }

  /// What is written to it, each at its byte; all else is zero.
  package var contents: [(offset: Int, bytes: [UInt8])] {
    guard !partitions.isEmpty else { return [] }
    return needsGPT ? tableOfGUIDs.contents : [(0, bootRecord)]
  }

  /// The first sector of the partition at `index` of `partitions`, and how many it has.
  func extent(_ index: Int) -> (first: Int, count: Int) {
    let count = Self.partitionSize / Self.sector
    return (Self.unit + index * count, count)
  }

  /// An MBR with up to four primary partitions of type Linux.
  private var bootRecord: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.sector)
    bytes.store(signature, at: 440)
    for (index, partition) in partitions.enumerated() {
      let (first, count) = extent(index)
      bytes.storeEntry(partition.number - 1, type: 0x83, first: first, count: count)
    }
    bytes.store(UInt16(0xaa55), at: 510)
    return bytes
  }
}

extension [UInt8] {
  /// Stores a little-endian number.
  mutating func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    for index in 0..<(T.bitWidth / 8) { self[offset + index] = UInt8(truncatingIfNeeded: value >> T(8 * index)) }
  }

  mutating func store(_ guid: GUID, at offset: Int) {
    for index in 0..<16 { self[offset + index] = guid.bytes[index] }
  }

  /// Stores an entry of an MBR, beyond what cylinders, heads and sectors can name.
  mutating func storeEntry(_ index: Int, type: UInt8, first: Int, count: Int) {
    let place = 446 + 16 * index
    store(UInt32(0xffff_fe00), at: place)
    store(UInt32(0xffff_fe00) | UInt32(type), at: place + 4)
    store(UInt32(first), at: place + 8)
    store(UInt32(count), at: place + 12)
  }

  var checksum: UInt32 {
    var checksum = CRC32()
    for byte in self { checksum.add(byte) }
    return checksum.value
  }
}
