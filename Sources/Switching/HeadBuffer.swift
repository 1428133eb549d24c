// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Virtio

/// The first bytes of a frame, in the switch's own memory: as a VM sent them, or as a receiver is to get them.
///
/// Invariant: `count` bytes count, virtio header included; the rest of the frame stays in the sender's memory.
struct HeadBuffer: ~Copyable {
  /// Bytes of a sender's frame that are worked on at most: Ethernet, IP and TCP headers, with options.
  static var reach: Int { 256 }

  private let inPlace = InPlace()
  /// Room for the virtio header, `reach`, and a tag.
  private var bytes = InlineArray<272, UInt8>(repeating: 0)
  private(set) var count = 0

  /// Lends the bytes from `start` on.
  func withBytes<R, E: Error>(from start: Int = 0, _ body: (borrowing RawSpan) throws(E) -> R) throws(E) -> R {
    // SAFETY: bytes have no padding.
    try body(unsafe bytes.span.bytes.extracting(start..<count))
  }

  /// Lends the bytes of the frame, the virtio header left out, for changes.
  mutating func changeFrame(_ body: (inout MutableRawSpan) -> Void) { change(NetworkHeader.size..<count, body) }

  /// Takes the bytes that a `Frame` is read from.
  mutating func take(from chain: borrowing DescriptorChain, in memory: GuestMemory) throws(QueueError) {
    count = 0
    var source = chain.readable(in: memory)
    try add(min(Frame.readLength, source.remaining), from: &source)
  }

  /// Begins the head that a receiver is to get: room for the virtio header, and the Ethernet header with `tag`.
  mutating func begin(_ frame: Frame, tag: UInt16?) {
    count = NetworkHeader.size + (tag == nil ? 14 : 18)
    change(NetworkHeader.size..<count) { (bytes: inout MutableRawSpan) in
      bytes.storeAddresses(frame.destination, frame.source, at: 0)
      if let tag {
        bytes.storeWire(UInt32(VLANRules.tagType) << 16 | UInt32(tag), at: 12)
        bytes.storeWire(frame.type, at: 16)
      } else {
        bytes.storeWire(frame.type, at: 12)
      }
    }
  }

  /// Adds the next `number` bytes of a frame.
  mutating func add(_ number: Int, from source: inout ChainCursor) throws(QueueError) {
    let start = count
    count += number
    var all = bytes.mutableSpan
    // SAFETY: bytes have no padding, and any bits are a byte.
    var raw = unsafe all.mutableBytes
    var part = raw._mutatingExtracting(start..<count)
    try source.read(into: &part)
  }

  /// Leaves out what is beyond the first `number` bytes of the frame.
  mutating func cut(toFrame number: Int) { count = min(count, NetworkHeader.size + number) }

  /// Writes the virtio header.
  mutating func put(_ header: NetworkHeader) {
    change(0..<NetworkHeader.size) { (bytes: inout MutableRawSpan) in header.store(to: &bytes) }
  }

  private mutating func change(_ range: Range<Int>, _ body: (inout MutableRawSpan) -> Void) {
    var all = bytes.mutableSpan
    // SAFETY: as in `add`.
    var raw = unsafe all.mutableBytes
    var part = raw._mutatingExtracting(range)
    body(&part)
  }
}
