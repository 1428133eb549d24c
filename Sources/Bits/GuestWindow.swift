// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A range of a guest's memory that was checked once, for structures that are used over and over: rings, tables.
///
/// Offsets come from the owner, not from the guest: one that leads outside traps. What is read is still the guest's
/// word.
@safe
package struct GuestWindow: Sendable {
  private nonisolated(unsafe) let start: UnsafeMutableRawPointer
  /// Bytes of the range.
  package let count: Int

  /// - Precondition: `start` points to `count` bytes that stay mapped, readable and writable for as long as this value
  ///   is used.
  init(unsafeStart start: UnsafeMutableRawPointer, count: Int) {
    unsafe self.start = start
    self.count = count
  }

  /// Reads a little-endian number, of any alignment.
  package func read<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T {
    check(offset, count: MemoryLayout<T>.size)
    // SAFETY: all bytes of the number lie inside the window, checked above.
    return unsafe T(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// Writes a little-endian number, of any alignment.
  package func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
    check(offset, count: MemoryLayout<T>.size)
    // SAFETY: as in `read`.
    unsafe start.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }

  /// Reads a number at an even address, before all that is read later.
  package func loadAcquire(_ offset: Int) -> UInt16 {
    // SAFETY: as in `word`.
    unsafe word(offset).pointee.load(ordering: .acquiring)
  }

  /// Writes a number to an even address, after all that was written before.
  package func storeRelease(_ value: UInt16, at offset: Int) {
    // SAFETY: as in `word`.
    unsafe word(offset).pointee.store(value, ordering: .releasing)
  }

  private func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt16>> {
    check(offset, count: 2)
    // SAFETY: both bytes lie inside the window, checked above; any bits are a number.
    let place = unsafe start + offset
    precondition(UInt(bitPattern: place) & 1 == 0)
    return unsafe place.assumingMemoryBound(to: Atomic<UInt16>.self)
  }

  private func check(_ offset: Int, count width: Int) { precondition(offset >= 0 && offset <= count - width) }
}
