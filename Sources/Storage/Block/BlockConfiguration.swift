// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// How much a block device takes at once.
package struct BlockLimits: Sendable {
  /// Segments of data in one request, and bytes of each.
  package var segments: UInt32
  package var segmentBytes: UInt32
  package var queues: UInt16
  /// Units of 512 bytes that one segment may discard; 0 if the disk cannot.
  package var discardUnits: UInt32 = 0
  /// Segments of one discard request, at most `ClearList.capacity`.
  package var discardSegments: UInt32 = 1
  /// Units of 512 bytes that one segment may fill with zeroes; 0 if that is not offered.
  package var writeZeroesUnits: UInt32 = 0
  package var writeZeroesSegments: UInt32 = 1
  /// Zeroes may be had by giving the space back.
  package var writeZeroesMayForget = false

  package init(segments: UInt32, segmentBytes: UInt32, queues: UInt16 = 1) {
    self.segments = segments
    self.segmentBytes = segmentBytes
    self.queues = queues
  }

  /// Bytes of data in one request.
  package var dataBytes: UInt64 { UInt64(segments) * UInt64(segmentBytes) }
}

/// How a disk is made inside, for guests that care to be fast.
package struct BlockTopology: Sendable {
  /// A physical sector is two to this power of logical ones.
  package var physicalExponent: UInt8 = 0
  /// Logical sectors before the first that begins a physical one. The same on a virtual disk: it is aligned as the
  /// real one.
  package var alignmentOffset: UInt8 = 0
  /// Logical sectors of the least transfer that is not slow, and of the best.
  package var minimumTransfer: UInt16 = 1
  package var optimalTransfer: UInt32 = 0
  package init() {}
}

/// What a server says about a block device to the VMM, which shows it to the guest.
package struct BlockDescription: BitwiseCopyable, Sendable {
  /// The `BlockFeatures` that are offered.
  package let features: UInt64
  package let configuration: BlockConfiguration

  package init(_ rules: BlockRules, topology: BlockTopology = BlockTopology()) {
    let limits = rules.limits
    var features: BlockFeatures =
      .segmentSize | .segmentCount | .sectorSize | .flush | .topology | .writeCacheMode
    features.set(.readOnly, to: rules.disk.isReadOnly)
    features.set(.queues, to: limits.queues > 1)
    features.set(.discard, to: limits.discardUnits > 0 && !rules.disk.isReadOnly)
    features.set(.writeZeroes, to: limits.writeZeroesUnits > 0 && !rules.disk.isReadOnly)
    self.features = features.rawValue
    configuration = BlockConfiguration(rules, features, topology)
  }
}

/// The configuration space of a block device, byte for byte (virtio 1.2, §5.2.4). All numbers are little-endian, as
/// the processor is.
package struct BlockConfiguration: BitwiseCopyable, Sendable {
  /// In units of 512 bytes.
  package let capacity: UInt64
  package let segmentBytes: UInt32
  package let segments: UInt32
  /// Cylinders, heads and sectors: not offered.
  private let geometry: UInt32 = 0
  package let sectorSize: UInt32
  package let physicalExponent: UInt8
  package let alignmentOffset: UInt8
  package let minimumTransfer: UInt16
  package let optimalTransfer: UInt32
  /// 1: writes may be completed before they are safe; the guest may change it.
  package var writeback: UInt8 = 1
  private let reserved: UInt8 = 0
  package let queues: UInt16
  package let discardUnits: UInt32
  package let discardSegments: UInt32
  package let discardAlignment: UInt32
  package let writeZeroesUnits: UInt32
  package let writeZeroesSegments: UInt32
  package let writeZeroesMayForget: UInt8
  private let padding: (UInt8, UInt8, UInt8) = (0, 0, 0)

  fileprivate init(_ rules: BlockRules, _ features: BlockFeatures, _ topology: BlockTopology) {
    let limits = rules.limits
    let canDiscard = features.contains(.discard)
    let canWriteZeroes = features.contains(.writeZeroes)
    capacity = rules.disk.capacity
    segmentBytes = limits.segmentBytes
    segments = limits.segments
    sectorSize = rules.disk.sectorSize.rawValue
    physicalExponent = topology.physicalExponent
    alignmentOffset = topology.alignmentOffset
    minimumTransfer = topology.minimumTransfer
    optimalTransfer = topology.optimalTransfer
    queues = limits.queues
    discardUnits = canDiscard ? limits.discardUnits : 0
    discardSegments = canDiscard ? min(limits.discardSegments, UInt32(ClearList.capacity)) : 0
    // Whole physical sectors can be given back, in units of 512 bytes.
    let physical = UInt32(truncatingIfNeeded: rules.disk.sectorSize.units) << UInt32(topology.physicalExponent)
    discardAlignment = canDiscard ? physical : 0
    writeZeroesUnits = canWriteZeroes ? limits.writeZeroesUnits : 0
    writeZeroesSegments = canWriteZeroes ? min(limits.writeZeroesSegments, UInt32(ClearList.capacity)) : 0
    writeZeroesMayForget = canWriteZeroes && limits.writeZeroesMayForget ? 1 : 0
  }
}
