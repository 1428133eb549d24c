// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One end of a ring of bytes in memory that two domains share: one only writes, the other only reads.
///
/// Layout: the producer's count at byte 0, the consumer's at byte 64,
/// the data from byte 4096 to the region's end. Counts run free and wrap. The other side's count is a claim: one that
/// says more than the ring holds is read as an empty (or full) ring, so a peer can only garble its own bytes.
@safe
package struct ByteRing {
  package static var headerSize: Int { 4096 }

  private let base: UnsafeMutableRawPointer
  private let mask: UInt32

  /// - Precondition: `base` points to `regionSize` bytes, mapped for as long as this value is used, page-aligned and
  ///   zero before their first use; `regionSize - 4096` is a power of two.
  package init(unsafeBase base: UnsafeMutableRawPointer, regionSize: UInt64) {
    unsafe self.base = base
    let capacity = UInt32(regionSize) - UInt32(Self.headerSize)
    precondition(capacity & (capacity - 1) == 0)
    mask = capacity - 1
  }

  /// Bytes the ring can hold.
  package var capacity: Int { Int(mask) + 1 }

  /// Bytes to read.
  package var count: Int {
    let used = load(.produced) &- load(.consumed)
    return used > mask &+ 1 ? 0 : Int(used)
  }

  /// Bytes that can be written.
  package var space: Int {
    let used = load(.produced) &- load(.consumed)
    return used > mask &+ 1 ? 0 : Int(mask &+ 1 &- used)
  }

  /// Bytes that were ever written, and read; both wrap.
  package var written: UInt32 { load(.produced) }
  package var consumed: UInt32 { load(.consumed) }

  /// Adds a byte.
  /// - Returns: How many bytes were taken: 0 if the ring is full.
  @discardableResult
  package func write(_ byte: UInt8) -> Int {
    guard space > 0 else { return 0 }
    let index = load(.produced)
    // SAFETY: the masked index lies inside the data.
    unsafe base.storeBytes(of: byte, toByteOffset: Self.headerSize + Int(index & mask), as: UInt8.self)
    store(index &+ 1, to: .produced)
    return 1
  }

  /// Takes the oldest byte; `nil` if there is none.
  package func read() -> UInt8? {
    guard count > 0 else { return nil }
    let index = load(.consumed)
    // SAFETY: the masked index lies inside the data.
    let byte = unsafe base.load(fromByteOffset: Self.headerSize + Int(index & mask), as: UInt8.self)
    store(index &+ 1, to: .consumed)
    return byte
  }

  /// Forgets what is in the ring; for the reading end.
  package func discard() { store(load(.produced), to: .consumed) }

  private enum Counter: Int {
    case produced = 0
    case consumed = 64
  }

  private func load(_ counter: Counter) -> UInt32 {
    // SAFETY: the header is mapped and aligned; only atomics of both domains touch these words.
    unsafe (base + counter.rawValue).assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .acquiring)
  }

  private func store(_ value: UInt32, to counter: Counter) {
    // SAFETY: as in `load`.
    unsafe (base + counter.rawValue).assumingMemoryBound(to: Atomic<UInt32>.self).pointee
      .store(value, ordering: .releasing)
  }
}
