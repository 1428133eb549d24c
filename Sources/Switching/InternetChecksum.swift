// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Virtio

/// The checksum of IPv4, TCP and UDP over bytes that come in pieces (RFC 1071).
///
/// The sum of 16-bit words in one's complement comes out the same, with its bytes swapped, whatever the byte order
/// they are added in: so this adds little-endian words, four at a time, and swaps once.
struct InternetChecksum {
  private var sum: UInt64 = 0
  /// Whether an odd number of bytes went in: the next one is the second of its word.
  private var isOdd = false

  /// Adds the bytes that follow those added before.
  mutating func add(_ bytes: borrowing RawSpan) {
    var piece = Self.sum(of: bytes)
    if isOdd { piece = UInt64(Self.folded(piece).byteSwapped) }
    add(piece)
    if bytes.byteCount & 1 != 0 { isOdd.toggle() }
  }

  /// Adds what another sum covers, as if its bytes followed.
  mutating func add(_ other: InternetChecksum) {
    add(isOdd ? UInt64(Self.folded(other.sum).byteSwapped) : other.sum)
    if other.isOdd { isOdd.toggle() }
  }

  /// Adds `count` bytes to read of a chain from `offset` on, as they are in the guest's memory now.
  mutating func add(
    _ chain: borrowing DescriptorChain, from offset: Int, count: Int, in memory: GuestMemory
  ) throws(QueueError) {
    var skip = offset
    var left = count
    var index = 0
    while left > 0, index < chain.segmentCount, !chain[index].isWritable {
      let segment = chain[index]
      let start = min(skip, Int(segment.length))
      let part = min(left, Int(segment.length) - start)
      if part > 0 {
        var piece = self
        do throws(GuestMemoryError) {
          try memory.withBytes(segment.address + UInt64(start), count: UInt64(part)) { piece.add($0.bytes) }
        } catch { throw .bufferOutsideMemory }
        self = piece
      }
      skip -= start
      left -= part
      index += 1
    }
  }

  /// Adds a 16-bit number in the order of the wire.
  /// - Precondition: an even number of bytes went in before.
  mutating func add(word: UInt16) { add(UInt64(word.bigEndian)) }

  /// What a checksum field must hold.
  ///
  /// Never 0: in one's complement 0xffff is as good, and in UDP 0 means that there is no checksum (RFC 768).
  var value: UInt16 {
    let result = ~UInt16(bigEndian: Self.folded(sum))
    return result == 0 ? 0xffff : result
  }

  private mutating func add(_ piece: UInt64) {
    let (total, overflow) = sum.addingReportingOverflow(piece)
    sum = overflow ? total &+ 1 : total
  }

  private static func sum(of bytes: borrowing RawSpan) -> UInt64 {
    let count = bytes.byteCount
    var low: UInt64 = 0
    var high: UInt64 = 0
    var offset = 0
    while count - offset >= 8 {
      // SAFETY: eight bytes from `offset` lie inside the span, by the loop's condition.
      let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      low &+= word & 0xffff_ffff
      high &+= word >> 32
      offset += 8
    }
    var rest: UInt64 = 0
    var shift: UInt64 = 0
    while offset < count {
      // SAFETY: `offset` is below the span's length.
      rest |= UInt64(unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)) << shift
      shift += 8
      offset += 1
    }
    return UInt64(folded(low)) + UInt64(folded(high)) + UInt64(folded(rest))
  }

  private static func folded(_ sum: UInt64) -> UInt16 {
    var sum = sum
    while sum >> 16 != 0 { sum = (sum & 0xffff) + (sum >> 16) }
    return UInt16(truncatingIfNeeded: sum)
  }
}
