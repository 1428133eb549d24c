// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Why a guest address was refused.
package enum GuestMemoryError: Error, Equatable {
  /// Some byte of the range is not in the guest's memory.
  case outOfRange
}

/// A guest's memory as its VMM sees it: the one checked door from `GuestAddress` to bytes.
///
/// A PC keeps a hole below 4 GiB for devices, so memory comes in two parts: `low` below it, `high` from 4 GiB.
/// The guest may change any byte at any time: what was read once is checked and used, never read again.
@safe
package struct GuestMemory: Sendable {
  /// Where the part above the device hole begins.
  package static var highStart: UInt64 { 4 * .GiB }

  private nonisolated(unsafe) let lowBytes: UnsafeMutableRawPointer
  private nonisolated(unsafe) let high: UnsafeMutableRawPointer
  /// The part below 4 GiB.
  package let low: LowMemory
  /// Bytes from guest address 4 GiB; 0 if there are none.
  package let highSize: UInt64

  /// - Parameter base: `LowMemory.base`.
  /// - Precondition: both parts stay mapped, readable and writable for as long as this value is used.
  package init(
    unsafeLow low: UnsafeMutableRawPointer, lowSize: UInt64, base: UInt64 = 0, high: UnsafeMutableRawPointer? = nil,
    highSize: UInt64 = 0
  ) {
    self.low = LowMemory(size: lowSize, base: base)
    // SAFETY: only stored and looked at; without a high part nothing is reached by the second.
    unsafe lowBytes = low
    unsafe self.high = high ?? low
    self.highSize = unsafe high == nil ? 0 : highSize
  }

  /// Whether every byte of `[address, address + count)` is memory.
  package func contains(_ address: GuestAddress, count: UInt64) -> Bool {
    low.offset(of: address.value, count: count) != nil
      || (address.value >= Self.highStart && fits(address.value - Self.highStart, count: count, in: highSize))
  }

  /// Reads a little-endian number, of any alignment.
  package func read<T: FixedWidthInteger & BitwiseCopyable>(
    _ address: GuestAddress, as type: T.Type = T.self
  ) throws(GuestMemoryError) -> T {
    // SAFETY: `pointer(to:count:)` checked all bytes of the number.
    let pointer = unsafe try pointer(to: address, count: UInt64(MemoryLayout<T>.size))
    return unsafe T(littleEndian: pointer.loadUnaligned(as: T.self))
  }

  /// Writes a little-endian number, of any alignment.
  package func write<T: FixedWidthInteger & BitwiseCopyable>(
    _ value: T, at address: GuestAddress
  ) throws(GuestMemoryError) {
    // SAFETY: `pointer(to:count:)` checked all bytes of the number.
    let pointer = unsafe try pointer(to: address, count: UInt64(MemoryLayout<T>.size))
    unsafe pointer.storeBytes(of: value.littleEndian, as: T.self)
  }

  /// Copies bytes into the guest.
  package func write(_ bytes: borrowing RawSpan, at address: GuestAddress) throws(GuestMemoryError) {
    // SAFETY: the target holds `bytes.byteCount` bytes, checked above; a span's own bytes are valid.
    let target = unsafe try pointer(to: address, count: UInt64(bytes.byteCount))
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe target.copyMemory(from: start, byteCount: source.count) }
    }
  }

  /// Copies bytes out of the guest until `bytes` is full.
  package func read(into bytes: inout MutableRawSpan, from address: GuestAddress) throws(GuestMemoryError) {
    let count = bytes.byteCount
    // SAFETY: the source holds `count` bytes, checked above; a span's own bytes are valid, and no guest's.
    let source = unsafe try pointer(to: address, count: UInt64(count))
    unsafe bytes.withUnsafeMutableBytes { target in
      if let start = target.baseAddress { unsafe start.copyMemory(from: source, byteCount: count) }
    }
  }

  /// Copies `count` bytes from the memory of `other`, or of this very guest: the ranges may overlap.
  package func copy(
    _ count: UInt64, from other: GuestMemory, at source: GuestAddress, to target: GuestAddress
  ) throws(GuestMemoryError) {
    // SAFETY: `pointer(to:count:)` checked all `count` bytes of both.
    let from = unsafe try other.pointer(to: source, count: count)
    let to = unsafe try pointer(to: target, count: count)
    unsafe to.copyMemory(from: from, byteCount: Int(count))
  }

  /// Sets `count` bytes to `byte`.
  package func fill(_ address: GuestAddress, count: UInt64, with byte: UInt8 = 0) throws(GuestMemoryError) {
    // SAFETY: `pointer(to:count:)` checked all `count` bytes.
    let target = unsafe try pointer(to: address, count: count)
    unsafe target.initializeMemory(as: UInt8.self, repeating: byte, count: Int(count))
  }

  /// Lends `count` bytes to `body`.
  package func withBytes<R>(
    _ address: GuestAddress, count: UInt64, _ body: (inout MutableRawSpan) -> R
  ) throws(GuestMemoryError) -> R {
    // SAFETY: `pointer(to:count:)` checked all `count` bytes; the span does not outlive this call.
    let start = unsafe try pointer(to: address, count: count)
    var span = unsafe MutableRawSpan(_unsafeStart: start, byteCount: Int(count))
    return body(&span)
  }

  /// The range `[address, address + count)`, checked here once and for all.
  package func window(_ address: GuestAddress, count: UInt64) throws(GuestMemoryError) -> GuestWindow {
    // SAFETY: `pointer(to:count:)` checked all `count` bytes.
    unsafe GuestWindow(unsafeStart: try pointer(to: address, count: count), count: Int(count))
  }

  /// The place of `[address, address + count)`, all of it checked.
  private func pointer(to address: GuestAddress, count: UInt64) throws(GuestMemoryError) -> UnsafeMutableRawPointer {
    if let offset = low.offset(of: address.value, count: count) {
      // SAFETY: offset and length lie inside the low part.
      return unsafe lowBytes + Int(offset)
    }
    guard address.value >= Self.highStart, fits(address.value - Self.highStart, count: count, in: highSize) else {
      throw .outOfRange
    }
    // SAFETY: offset and length lie inside the high part.
    return unsafe high + Int(address.value - Self.highStart)
  }
}
