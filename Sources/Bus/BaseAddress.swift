// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
package import Firmware

/// One of a function's ranges: where its registers or memory answer (PCI Express 6.0, §7.5.1.2.1).
package struct BaseAddress: Equatable, Sendable, BitwiseCopyable {
  package enum Kind: Equatable, Sendable, BitwiseCopyable {
    /// The function has no such range.
    case none
    /// The upper half of the range before.
    case upperHalf
    /// What it says makes no sense: its size cannot be told.
    case malformed
    case io
    case memory
    /// Memory that may lie above 4 GiB; takes two registers.
    case memory64
  }

  package var kind = Kind.none
  package var isPrefetchable = false
  /// Where firmware put it; 0 if nowhere.
  package var address: UInt64 = 0
  /// Bytes: a power of two.
  package var size: UInt64 = 0

  /// Whether it is memory.
  package var isMemory: Bool { kind == .memory || kind == .memory64 }

  /// The memory it answers at.
  package var range: PhysicalRange { PhysicalRange(start: PhysicalAddress(address), size: size) }

  /// A range whose register held `value`, and reads as `probed` once all ones were written to it.
  init(io value: UInt32, probed: UInt32) {
    // A function may leave out the upper 16 bits, which no port of a PC has (§7.5.1.2.1).
    let mask = (probed & 0xffff_0000 == 0 ? probed | 0xffff_0000 : probed) & ~3
    self.init(.io, UInt64(value & ~3), mask: UInt64(mask), sizeLimit: 1 << 16)
  }

  /// A memory range of one register, or of two.
  init(memory value: UInt64, probed: UInt64, isWide: Bool) {
    let mask = isWide ? probed & ~0xf : probed & 0xffff_fff0
    self.init(isWide ? .memory64 : .memory, value & ~0xf, mask: mask, sizeLimit: 1 << (isWide ? 63 : 32))
    isPrefetchable = value & 8 != 0
  }

  init(_ kind: Kind = .none) { self.kind = kind }

  private init(_ kind: Kind, _ address: UInt64, mask: UInt64, sizeLimit: UInt64) {
    guard mask != 0 else { return }
    // The lowest bit that can be set is the size, and from there on all of them can, up to the last.
    let size = mask & (0 &- mask)
    let settable = mask / size
    guard size < sizeLimit, settable & (settable &+ 1) == 0, address & ~mask == 0 else {
      self.kind = .malformed
      return
    }
    self.kind = kind
    self.address = address
    self.size = size
  }
}
