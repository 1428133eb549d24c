// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// First in, first out: bytes in memory that somebody handed over, with one owner.
@safe
struct ByteQueue {
  private let base: UnsafeMutableRawPointer
  private let mask: Int
  private var first = 0
  /// Bytes waiting.
  private(set) var count = 0

  /// - Precondition: `base` points to `capacity` bytes, a power of two, that nobody else uses while this lives.
  init(unsafeBase base: UnsafeMutableRawPointer, capacity: UInt64) {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0)
    unsafe self.base = base
    mask = Int(capacity) - 1
  }

  /// Bytes that can still be added.
  var space: Int { mask + 1 - count }

  /// Adds a byte.
  /// - Returns: How many bytes were taken: 0 if the queue is full.
  @discardableResult
  mutating func append(_ byte: UInt8) -> Int {
    guard space > 0 else { return 0 }
    // SAFETY: the masked index lies inside the memory.
    unsafe base.storeBytes(of: byte, toByteOffset: (first &+ count) & mask, as: UInt8.self)
    count += 1
    return 1
  }

  /// Takes the oldest byte; `nil` if there is none.
  mutating func removeFirst() -> UInt8? {
    guard count > 0 else { return nil }
    // SAFETY: the masked index lies inside the memory.
    let byte = unsafe base.load(fromByteOffset: first & mask, as: UInt8.self)
    first = (first &+ 1) & mask
    count -= 1
    return byte
  }
}

/// What a VM printed while nobody saw it: the newest bytes, and how many older ones had to go.
struct History {
  private var bytes: ByteQueue
  /// Bytes that were thrown away since `takeLost` last asked.
  private var lost: UInt64 = 0

  init(_ bytes: ByteQueue) { self.bytes = bytes }

  var isEmpty: Bool { bytes.count == 0 }

  mutating func append(_ byte: UInt8) {
    if bytes.space == 0 {
      _ = bytes.removeFirst()
      lost += 1
    }
    bytes.append(byte)
  }

  mutating func removeFirst() -> UInt8? { bytes.removeFirst() }

  /// How many bytes were thrown away; they are counted anew from here.
  mutating func takeLost() -> UInt64 {
    defer { lost = 0 }
    return lost
  }
}
