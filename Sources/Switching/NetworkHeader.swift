// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What precedes each frame in a virtqueue of a network card, `struct virtio_net_hdr` (virtio 1.2, §5.1.6).
struct NetworkHeader: BitwiseCopyable {
  /// Its bytes; with virtio 1 `num_buffers` is always there.
  static var size: Int { 12 }

  /// The checksum is still to be completed: it covers the bytes from `checksumStart` on.
  var needsChecksum = false
  /// How the frame is to be cut into segments.
  var segmentation = SegmentationKind.none
  /// The sender saw congestion: only the first segment may say so.
  var hasECN = false
  /// Bytes of all headers of the frame: a hint.
  var headerLength: UInt16 = 0
  /// Payload of a segment.
  var segmentSize: UInt16 = 0
  var checksumStart: UInt16 = 0
  /// Where the checksum goes, from `checksumStart`.
  var checksumOffset: UInt16 = 0
  /// Receive buffers that the frame takes.
  var bufferCount: UInt16 = 1

  init() {}

  /// Reads a sender's header; `nil` if it is cut short or asks for a segmentation that does not exist.
  init?(_ bytes: borrowing RawSpan) {
    guard let first = bytes.load(0, as: UInt64.self), let second = bytes.load(8, as: UInt32.self),
      let kind = SegmentationKind(rawValue: UInt8(truncatingIfNeeded: first >> 8) & ~Self.ecnBit)
    else { return nil }
    // Other flags mean nothing to a device: it ignores them (§5.1.6.2.2).
    needsChecksum = UInt8(truncatingIfNeeded: first) & Self.needsChecksumBit != 0
    segmentation = kind
    hasECN = UInt8(truncatingIfNeeded: first >> 8) & Self.ecnBit != 0
    headerLength = UInt16(truncatingIfNeeded: first >> 16)
    segmentSize = UInt16(truncatingIfNeeded: first >> 32)
    checksumStart = UInt16(truncatingIfNeeded: first >> 48)
    checksumOffset = UInt16(truncatingIfNeeded: second)
  }

  /// Writes it for a receiver.
  func store(to bytes: inout MutableRawSpan) {
    let flags = needsChecksum ? UInt64(Self.needsChecksumBit) : 0
    let kind = UInt64(segmentation.rawValue | (hasECN ? Self.ecnBit : 0))
    let lengths = UInt64(headerLength) << 16 | UInt64(segmentSize) << 32
    bytes.store(flags | kind << 8 | lengths | UInt64(checksumStart) << 48, at: 0)
    bytes.store(UInt32(checksumOffset) | UInt32(bufferCount) << 16, at: 8)
  }

  /// Where `num_buffers` is.
  static var bufferCountOffset: Int { 10 }

  private static var needsChecksumBit: UInt8 { 1 }
  private static var ecnBit: UInt8 { 0x80 }
}

/// How a long frame is cut (virtio 1.2, §5.1.6, `gso_type`), as far as it is offered.
enum SegmentationKind: UInt8 {
  case none = 0
  case tcp4 = 1
  case tcp6 = 4
}
