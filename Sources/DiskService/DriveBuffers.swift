// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import AHCI
import Bits

/// The memory that a disk server shares with its controller: the controller's own, a buffer for what the server reads
/// for itself, and zeroes.
@safe
package struct DriveBuffers {
  package static var size: UInt64 { DiskConfiguration.deviceMemorySize }
  /// Bytes of the buffer: what the reader of partition tables wants at once.
  package static var bufferSize: Int { 4096 }
  package static var zeroesSize: UInt64 { 64 * .KiB }
  private static var bufferOffset: Int { 256 << 10 }
  private static var zeroesOffset: UInt64 { 512 * .KiB }

  private let base: UnsafeMutableRawPointer
  private let deviceAddress: UInt64

  /// - Precondition: `base` points to `size` bytes, mapped cached, readable and writable for as long as this value is
  ///   used, of which those of the zeroes are zero; the controller finds them in one piece at `deviceAddress`. Both are
  ///   multiples of 4096.
  package init(unsafeBase base: UnsafeMutableRawPointer, deviceAddress: UInt64) {
    precondition(DMAArea.size <= Self.bufferOffset)
    unsafe self.base = base
    self.deviceAddress = deviceAddress
  }

  var controllerArea: DMAArea {
    // SAFETY: the area's bytes are the first of these.
    unsafe DMAArea(unsafeBase: base, deviceAddress: deviceAddress)
  }

  var bufferAddress: UInt64 { deviceAddress + UInt64(Self.bufferOffset) }
  var zeroesAddress: UInt64 { deviceAddress + Self.zeroesOffset }

  func withBuffer<R>(_ byteCount: Int, _ body: (borrowing RawSpan) -> R) -> R {
    precondition(byteCount >= 0 && byteCount <= Self.bufferSize)
    // SAFETY: the buffer's bytes lie inside the memory, and the span does not outlive this call.
    return unsafe body(RawSpan(_unsafeStart: base + Self.bufferOffset, byteCount: byteCount))
  }
}
