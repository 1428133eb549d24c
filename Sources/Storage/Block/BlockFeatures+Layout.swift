// swift-format-ignore-file
// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a block device can do, and its driver wants (virtio 1.2, §5.2.3).
package struct BlockFeatures: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package static var segmentSize: Self    { .bit(1) }   // SIZE_MAX      the most bytes of a segment are given
  package static var segmentCount: Self   { .bit(2) }   // SEG_MAX       the most segments of a request are given
  package static var readOnly: Self       { .bit(5) }   // RO
  package static var sectorSize: Self     { .bit(6) }   // BLK_SIZE      the sector's size is given
  package static var flush: Self          { .bit(9) }   // FLUSH
  package static var topology: Self       { .bit(10) }  // TOPOLOGY      alignment and good transfer sizes are given
  package static var writeCacheMode: Self { .bit(11) }  // CONFIG_WCE    the driver may choose write-back or -through
  package static var queues: Self         { .bit(12) }  // MQ            more than one queue
  package static var discard: Self        { .bit(13) }  // DISCARD
  package static var writeZeroes: Self    { .bit(14) }  // WRITE_ZEROES
}
