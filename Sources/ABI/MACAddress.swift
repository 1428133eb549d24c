// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The address of an Ethernet station or group: its six bytes in the order of the wire.
package struct MACAddress: BitwiseCopyable, Equatable, Hashable, Sendable {
  /// The first byte on the wire in bits 47-40, the last in bits 7-0; bits 63-48 are zero.
  package let rawValue: UInt64

  /// - Parameter rawValue: As in the property; bits 63-48 are dropped.
  package init(rawValue: UInt64 = 0) { self.rawValue = rawValue & 0xffff_ffff_ffff }

  package static var broadcast: Self { Self(rawValue: 0xffff_ffff_ffff) }

  /// Whether it names a group of stations, broadcast included: the lowest bit of its first byte (IEEE 802, §8.2.2).
  package var isGroup: Bool { rawValue >> 40 & 1 != 0 }

  /// Byte `index` (0 to 5) in the order of the wire.
  package subscript(index: Int) -> UInt8 { UInt8(truncatingIfNeeded: rawValue >> UInt64(40 - 8 * index)) }
}
