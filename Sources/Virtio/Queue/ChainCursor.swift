// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A place in the bytes of a descriptor chain that moves on with what is read, written or copied, so that nothing is
/// searched twice.
///
/// Invariant: `remaining` bytes follow: those of segment `index` from `offset` on, and of the segments after it.
package struct ChainCursor: ~Escapable {
  private let segments: Span<ChainSegment>
  private let memory: GuestMemory
  private var index = 0
  private var offset: UInt32 = 0
  /// Bytes that are left.
  package private(set) var remaining: Int

  @_lifetime(copy segments)
  init(_ segments: Span<ChainSegment>, in memory: GuestMemory, count: Int) {
    self.segments = segments
    self.memory = memory
    remaining = count
  }

  /// Leaves out `count` bytes.
  package mutating func skip(_ count: Int) throws(QueueError) {
    guard count >= 0, count <= remaining else { throw .bufferTooSmall }
    var left = count
    while left > 0 { left -= advance(by: min(left, run)) }
  }

  /// Fills `bytes` with what follows.
  package mutating func read(into bytes: inout MutableRawSpan) throws(QueueError) {
    guard bytes.byteCount <= remaining else { throw .bufferTooSmall }
    var done = 0
    while done < bytes.byteCount {
      let count = min(bytes.byteCount - done, run)
      var part = bytes._mutatingExtracting(done..<done + count)
      do throws(GuestMemoryError) { try memory.read(into: &part, from: place) } catch { throw .bufferOutsideMemory }
      done += advance(by: count)
    }
  }

  /// Writes all of `bytes`.
  package mutating func write(_ bytes: borrowing RawSpan) throws(QueueError) {
    guard bytes.byteCount <= remaining else { throw .bufferTooSmall }
    var done = 0
    while done < bytes.byteCount {
      let count = min(bytes.byteCount - done, run)
      do throws(GuestMemoryError) {
        try memory.write(bytes.extracting(done..<done + count), at: place)
      } catch { throw .bufferOutsideMemory }
      done += advance(by: count)
    }
  }

  /// Takes the little-endian number that follows, of at most 8 bytes.
  package mutating func read<T: FixedWidthInteger & BitwiseCopyable>(as type: T.Type = T.self) throws(QueueError) -> T {
    var buffer = InlineArray<8, UInt8>(repeating: 0)
    var span = buffer.mutableSpan
    // SAFETY: any bits are bytes.
    var bytes = unsafe span.mutableBytes
    var part = bytes._mutatingExtracting(0..<MemoryLayout<T>.size)
    try read(into: &part)
    return part.bytes.load(0) ?? 0
  }

  /// Writes a little-endian number, of at most 8 bytes.
  package mutating func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) throws(QueueError) {
    var buffer = InlineArray<8, UInt8>(repeating: 0)
    var span = buffer.mutableSpan
    // SAFETY: any bits are bytes.
    var bytes = unsafe span.mutableBytes
    bytes.store(value, at: 0)
    try write(bytes.bytes.extracting(0..<MemoryLayout<T>.size))
  }

  /// Copies `count` bytes from one chain to another, which may be another guest's: straight from memory to memory.
  package static func copy(
    _ count: Int, from source: inout ChainCursor, to target: inout ChainCursor
  ) throws(QueueError) {
    guard count >= 0, count <= source.remaining, count <= target.remaining else { throw .bufferTooSmall }
    var left = count
    while left > 0 {
      let part = min(left, min(source.run, target.run))
      do throws(GuestMemoryError) {
        try target.memory.copy(UInt64(part), from: source.memory, at: source.place, to: target.place)
      } catch { throw .bufferOutsideMemory }
      _ = source.advance(by: part)
      left -= target.advance(by: part)
    }
  }

  /// Where the next byte is.
  private var place: GuestAddress { segments[index].address + UInt64(offset) }

  /// Bytes from here to the end of the segment; not zero while any are `remaining`.
  private var run: Int { Int(segments[index].length - offset) }

  /// Moves on by `count` bytes, at most to the end of the segment.
  private mutating func advance(by count: Int) -> Int {
    remaining -= count
    if count == run {
      index += 1
      offset = 0
    } else {
      offset += UInt32(count)
    }
    return count
  }
}
