// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Virtio

/// Some of the bytes of a request: `count` from byte `offset` of those to write, or of those to read.
package struct ChainPart: Equatable, Sendable {
  package var isWritable: Bool
  package var offset: UInt64
  package var count: UInt64
}

extension DescriptorChain {
  /// Calls `body` for each piece of guest memory that a part consists of, in order.
  borrowing func eachPiece<Failure: Error>(
    of part: ChainPart, _ body: (GuestAddress, UInt64) throws(Failure) -> Void
  ) throws(Failure) {
    var skipped = part.offset
    var left = part.count
    for index in 0..<segmentCount where left > 0 {
      let segment = self[index]
      guard segment.isWritable == part.isWritable else { continue }
      let length = UInt64(segment.length)
      guard skipped < length else {
        skipped -= length
        continue
      }
      let count = min(length - skipped, left)
      try body(segment.address + skipped, count)
      skipped = 0
      left -= count
    }
  }

  /// The last byte that the device may write: where the driver looks how a block request ended (virtio 1.2, §5.2.6).
  var lastWritableByte: GuestAddress? {
    guard segmentCount > 0, self[segmentCount - 1].isWritable else { return nil }
    let last = self[segmentCount - 1]
    return last.address + UInt64(last.length - 1)
  }
}
