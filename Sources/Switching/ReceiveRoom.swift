// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Virtio

/// The receive buffers that were taken for one frame, before a byte is written to them.
///
/// Invariant: `place` holds the buffers to write of the `bufferCount` chains in `buffers`, in order.
struct ReceiveRoom: ~Copyable {
  /// The most buffers of one frame: 65562 bytes in buffers of 257.
  static var capacity: Int { DescriptorChain.capacity }

  private let inPlace = InPlace()
  /// All that may be written.
  var place = DescriptorChain()
  private var next = DescriptorChain()
  private var buffers = InlineArray<256, ReceiveBuffer>(repeating: ReceiveBuffer(head: 0, count: 0))
  private(set) var bufferCount = 0

  /// Takes buffers for `total` bytes from `queue`, or none.
  /// - Parameters:
  ///   - isMergeable: whether a frame may fill several buffers (virtio 1.2, §5.1.6.3.2).
  ///   - waits: whether the driver is to kick when it adds buffers to too few.
  mutating func take(
    _ total: Int, from queue: inout SplitQueue, isMergeable: Bool, waits: Bool
  ) throws(QueueError) -> Supply {
    bufferCount = 0
    guard try Self.take(from: &queue, into: &place, waits: waits) else { return .full }
    try add(place.head, count: place.writableCount)
    while place.writableCount < total {
      guard isMergeable, bufferCount < min(Self.capacity, Int(queue.size)) else {
        return giveBack(to: &queue, .tooLong)
      }
      guard try Self.take(from: &queue, into: &next, waits: waits) else { return giveBack(to: &queue, .full) }
      try add(next.head, count: next.writableCount)
      do throws(QueueError) { try place.append(buffersToWriteOf: next) } catch .tooManyBuffers {
        return giveBack(to: &queue, .tooLong)
      }
    }
    return .enough
  }

  /// Says in the used ring how much of each buffer `total` bytes filled; the driver sees it after `publish`.
  func complete(_ total: Int, in queue: inout SplitQueue) {
    var left = total
    for index in 0..<bufferCount {
      let part = min(left, Int(buffers[index].count))
      queue.complete(head: buffers[index].head, written: UInt32(part))
      left -= part
    }
  }

  /// - Throws: `bufferTooSmall` if nothing can be written to the buffer: no driver has a use for such a one.
  private mutating func add(_ head: UInt16, count: Int) throws(QueueError) {
    guard count > 0 else { throw .bufferTooSmall }
    buffers[bufferCount] = ReceiveBuffer(head: head, count: UInt32(clamping: count))
    bufferCount += 1
  }

  private func giveBack(to queue: inout SplitQueue, _ reason: Supply) -> Supply {
    for _ in 0..<bufferCount { queue.putBack() }
    return reason
  }

  /// All that is available being taken, kicks are asked for from here on: fewer buffers than needed may be there.
  private static func take(
    from queue: inout SplitQueue, into chain: inout DescriptorChain, waits: Bool
  ) throws(QueueError) -> Bool {
    if try queue.next(into: &chain) { return true }
    return waits && queue.enableKicks() ? try queue.next(into: &chain) : false
  }
}

/// Whether a receiver has room for a frame.
enum Supply {
  case enough
  /// Not now.
  case full
  /// Not even with all the buffers it can have.
  case tooLong
}

/// A chain of a receive queue.
private struct ReceiveBuffer: BitwiseCopyable {
  let head: UInt16
  /// Bytes that may be written.
  let count: UInt32
}
