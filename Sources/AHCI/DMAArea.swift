// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Synchronization

/// Memory that driver and controller share: its bytes, and the address by which the controller knows them.
///
/// The controller may change any byte at any time: what was read once is checked and used, never read again.
@safe
package struct DMAArea {
  /// Bytes a controller's driver needs, in one piece.
  package static var size: Int { PortMemory.size }
  /// What the device address must be a multiple of.
  package static var alignment: UInt64 { 4096 }

  private let base: UnsafeMutableRawPointer
  /// The first byte's address, as the controller sees it.
  package let deviceAddress: UInt64

  /// - Precondition: `base` points to `size` bytes, mapped cached, readable and writable for as long as this value is
  ///   used; the controller finds the same bytes in one piece at `deviceAddress`. Both are multiples of `alignment`.
  package init(unsafeBase base: UnsafeMutableRawPointer, deviceAddress: UInt64) {
    precondition(deviceAddress.isAligned(to: Self.alignment))
    unsafe self.base = base
    self.deviceAddress = deviceAddress
  }

  /// The little-endian number at `offset`.
  func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T {
    check(offset, count: MemoryLayout<T>.size)
    // SAFETY: the number lies inside the area, checked above.
    return unsafe T(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// Stores a little-endian number at `offset`.
  func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
    check(offset, count: MemoryLayout<T>.size)
    // SAFETY: the number lies inside the area, checked above.
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }

  /// Sets `count` bytes to zero.
  func clear(_ offset: Int, count: Int) {
    check(offset, count: count)
    // SAFETY: the bytes lie inside the area, checked above.
    unsafe (base + offset).initializeMemory(as: UInt8.self, repeating: 0, count: count)
  }

  /// Lends `count` bytes to `body`.
  func withBytes<R>(_ offset: Int, count: Int, _ body: (borrowing RawSpan) -> R) -> R {
    check(offset, count: count)
    // SAFETY: the bytes lie inside the area, checked above; the span does not outlive this call.
    return unsafe body(RawSpan(_unsafeStart: base + offset, byteCount: count))
  }

  /// All that was stored is there before the controller is told to look; the processor keeps stores in order.
  func publish() { atomicMemoryFence(ordering: .releasing) }

  /// Nothing is read from here before the controller was asked whether it is done.
  func receive() { atomicMemoryFence(ordering: .acquiring) }

  private func check(_ offset: Int, count: Int) {
    precondition(offset >= 0 && count >= 0 && offset <= Self.size && Self.size - offset >= count)
  }
}
