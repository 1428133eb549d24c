// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// One buffer of a descriptor chain: not empty, and all of it in the guest's memory.
package struct ChainSegment: Equatable, Sendable, BitwiseCopyable {
  package let address: GuestAddress
  package let length: UInt32
  /// Whether it is for the device to write; else it is to be read.
  package let isWritable: Bool
}

/// A request as its driver laid it out: buffers to read, then buffers to write.
///
/// It is large and meant to be filled again and again by `SplitQueue.next(into:)`, in place. Buffers without a byte
/// are left out.
///
/// Invariant: of `segments` the first `readableSegments` are readable, those after them up to `segmentCount` writable;
/// the byte counts are the sums of their lengths.
package struct DescriptorChain: ~Copyable {
  /// The most buffers of a chain: as many as the largest queue that Roost's devices have.
  package static var capacity: Int { 256 }

  private let inPlace = InPlace()
  private var segments: InlineArray<256, ChainSegment>
  private var readableSegments = 0
  /// The number of its first descriptor, by which the driver knows it.
  package private(set) var head: UInt16 = 0
  /// Buffers that are not empty.
  package private(set) var segmentCount = 0
  /// Bytes to read.
  package private(set) var readableCount = 0
  /// Bytes to write.
  package private(set) var writableCount = 0

  /// A chain of nothing.
  package init() {
    segments = InlineArray(repeating: ChainSegment(address: GuestAddress(0), length: 0, isWritable: false))
  }

  /// Buffer `index`, in the driver's order.
  package subscript(index: Int) -> ChainSegment {
    precondition(index >= 0 && index < segmentCount)
    return segments[index]
  }

  /// Empties it for the chain that begins with descriptor `head`.
  mutating func begin(head: UInt16) {
    self.head = head
    readableSegments = 0
    segmentCount = 0
    readableCount = 0
    writableCount = 0
  }

  /// Adds the buffers to write of `other`, a chain of the same guest taken after this one: a frame may fill several.
  package mutating func append(buffersToWriteOf other: borrowing DescriptorChain) throws(QueueError) {
    for index in other.readableSegments..<other.segmentCount { try append(other.segments[index]) }
  }

  /// Adds a buffer that is known to lie in the guest's memory.
  mutating func append(_ segment: ChainSegment) throws(QueueError) {
    // Writable buffers come last (virtio 1.2, §2.7.4.2).
    guard segment.isWritable || readableSegments == segmentCount else { throw .readableAfterWritable }
    guard segment.length > 0 else { return }
    guard segmentCount < Self.capacity else { throw .tooManyBuffers }
    // A chain describes at most 2³² bytes (virtio 1.2, §2.7.5); 256 lengths of 32 bits cannot overflow the sum.
    guard readableCount + writableCount + Int(segment.length) <= 1 << 32 else { throw .totalTooLong }
    segments[segmentCount] = segment
    segmentCount += 1
    if segment.isWritable {
      writableCount += Int(segment.length)
    } else {
      readableCount += Int(segment.length)
      readableSegments += 1
    }
  }
}

// MARK: - Reading and writing

extension DescriptorChain {
  /// A cursor at the first byte to read; `memory` is the memory of the guest whose chain it is.
  @_lifetime(borrow self)
  package borrowing func readable(in memory: GuestMemory) -> ChainCursor {
    ChainCursor(segments.span.extracting(0..<readableSegments), in: memory, count: readableCount)
  }

  /// A cursor at the first byte to write.
  @_lifetime(borrow self)
  package borrowing func writable(in memory: GuestMemory) -> ChainCursor {
    ChainCursor(segments.span.extracting(readableSegments..<segmentCount), in: memory, count: writableCount)
  }

  /// Fills `bytes` with the bytes to read from `offset` on.
  package borrowing func read(
    _ offset: Int = 0, into bytes: inout MutableRawSpan, in memory: GuestMemory
  ) throws(QueueError) {
    var cursor = readable(in: memory)
    try cursor.skip(offset)
    try cursor.read(into: &bytes)
  }

  /// Writes all of `bytes` from `offset` of the bytes to write on.
  package borrowing func write(
    _ bytes: borrowing RawSpan, at offset: Int = 0, in memory: GuestMemory
  ) throws(QueueError) {
    var cursor = writable(in: memory)
    try cursor.skip(offset)
    try cursor.write(bytes)
  }
}
