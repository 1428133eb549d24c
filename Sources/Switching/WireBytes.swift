// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

// Numbers in the order of the wire, high byte first.

extension RawSpan {
  /// The number at `offset`; `nil` if a byte of it lies outside.
  func loadWire<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T? {
    load(offset, as: T.self)?.byteSwapped
  }

  /// The station address at `offset`; `nil` if a byte of it lies outside.
  func loadAddress(_ offset: Int) -> MACAddress? {
    guard let high = loadWire(offset, as: UInt32.self), let low = loadWire(offset + 4, as: UInt16.self) else {
      return nil
    }
    return MACAddress(rawValue: UInt64(high) << 16 | UInt64(low))
  }
}

extension MutableRawSpan {
  /// Stores a number at `offset`; one that does not fit traps.
  mutating func storeWire<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
    store(value.byteSwapped, at: offset)
  }

  /// Stores the first two fields of an Ethernet header, 12 bytes.
  mutating func storeAddresses(_ destination: MACAddress, _ source: MACAddress, at offset: Int) {
    storeWire(destination.rawValue << 16 | source.rawValue >> 32, at: offset)
    storeWire(UInt32(truncatingIfNeeded: source.rawValue), at: offset + 8)
  }
}
