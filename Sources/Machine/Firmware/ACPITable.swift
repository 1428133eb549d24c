// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Why there are no ACPI tables.
package enum ACPIError: Error, Equatable {
  /// A table, or all of them, is bigger than its place.
  case noRoom
  /// Low memory leaves no window for PCI devices, or does not reach the firmware's area.
  case badMemorySize
}

/// One table while it is put together.
///
/// Invariant: `bytes[0 ..< count]` is what was appended; once something did not fit, nothing can be written out.
struct ACPITable {
  private(set) var bytes: InlineArray<4096, UInt8> = InlineArray(repeating: 0)
  private(set) var count = 0
  private var isOverfull = false

  /// A structure without the standard header.
  init() {}

  /// A table with the standard header, to be completed by `seal` (ACPI 6.4, §5.2.6).
  init(_ signature: StaticString, revision: UInt8) {
    append(signature)
    append(UInt32(0))
    append(revision)
    append(UInt8(0))
    append("ROOST ")
    append("ROOSTPC ")
    append(UInt32(1))
    append("ROOS")
    append(UInt32(1))
  }

  mutating func append(byte: UInt8) {
    guard count < 4096 else {
      isOverfull = true
      return
    }
    bytes[count] = byte
    count += 1
  }

  /// Adds a number, little-endian.
  mutating func append<T: FixedWidthInteger>(_ value: T) {
    for index in 0..<MemoryLayout<T>.size { append(byte: UInt8(truncatingIfNeeded: value >> T(index * 8))) }
  }

  mutating func append(_ text: StaticString) {
    // SAFETY: index is below the literal's length.
    for index in 0..<text.utf8CodeUnitCount { append(byte: unsafe text.utf8Start[index]) }
  }

  mutating func append(zeros: Int) {
    for _ in 0..<zeros { append(byte: 0) }
  }

  /// Changes a byte that is there already.
  mutating func patch(_ byte: UInt8, at offset: Int) {
    guard offset >= 0, offset < count else { return }
    bytes[offset] = byte
  }

  /// Completes the standard header: length and checksum.
  mutating func seal() {
    for index in 0..<4 { patch(UInt8(truncatingIfNeeded: count >> (index * 8)), at: 4 + index) }
    setChecksum(at: 9, over: count)
  }

  /// Makes the first `length` bytes add up to 0, by the byte at `offset`.
  mutating func setChecksum(at offset: Int, over length: Int) {
    patch(0, at: offset)
    var sum: UInt8 = 0
    for index in 0..<min(length, count) { sum &+= bytes[index] }
    patch(0 &- sum, at: offset)
  }

  /// Copies the table to the next free place of the firmware's area and moves `cursor` behind it.
  /// - Returns: Where the table is.
  func place(in memory: GuestMemory, at cursor: inout UInt64, alignment: UInt64 = 16) throws(ACPIError) -> UInt32 {
    guard !isOverfull, let start = cursor.roundedUp(to: alignment),
      fits(start, count: UInt64(count), in: MemoryMap.firmwareEnd)
    else { throw .noRoom }
    for index in 0..<count {
      do throws(GuestMemoryError) {
        try memory.write(bytes[index], at: GuestAddress(start + UInt64(index)))
      } catch { throw .badMemorySize }
    }
    cursor = start + UInt64(count)
    return UInt32(start)
  }
}
