// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI

// A guest may access anything in any width at any offset. Configuration space and ports go on as they are asked for; the
// table of messages takes whole dwords, and its reads are put together from bytes.

extension GuestFunction {
  /// Reads `width` bytes (1, 2 or 4) of configuration space.
  package func readConfiguration(_ offset: UInt8, width: Int) -> UInt32 {
    configuration.read(offset, width: width, of: function)
  }

  /// Writes `width` bytes (1, 2 or 4) of configuration space.
  package mutating func writeConfiguration(_ value: UInt32, at offset: UInt8, width: Int) {
    configuration.write(value, at: offset, width: width, of: function)
    update()
  }

  // MARK: - Ports

  /// The port range that `port` is in, and where in it.
  private func place(ofPort port: UInt16) -> (range: Int, offset: UInt32)? {
    for index in 0..<6 {
      guard case .io(let size) = ranges[index], let base = configuration.space.address(ofRange: index) else { continue }
      if UInt64(port) >= base, UInt64(port) - base < UInt64(size) { return (index, UInt32(UInt64(port) - base)) }
    }
    return nil
  }

  /// Whether `port` is one of the function's.
  package func claims(port: UInt16) -> Bool { place(ofPort: port) != nil }

  /// Reads a port that the function claims; an access that leaves its range finds ones.
  package func readPort(_ port: UInt16, width: Int) -> UInt32 {
    guard let place = place(ofPort: port),
      fits(UInt64(place.offset), count: UInt64(width), in: ranges[place.range].size)
    else { return .max }
    return function.readPort(place.range, place.offset, width: width)
  }

  /// Writes a port that the function claims; an access that leaves its range is lost.
  package func writePort(_ port: UInt16, width: Int, value: UInt32) {
    guard let place = place(ofPort: port),
      fits(UInt64(place.offset), count: UInt64(width), in: ranges[place.range].size)
    else { return }
    function.writePort(place.range, place.offset, width: width, value: value)
  }

  // MARK: - The table of messages

  /// The offset in the table's range, if `address` is on a page that is not mapped because of the table.
  private func tableOffset(_ address: UInt64) -> UInt64? {
    guard let place = configuration.table, let base = mapped[place.range], address >= base,
      address - base < ranges[place.range].size
    else { return nil }
    let offset = address - base
    let first = place.start.roundedDown(to: 4096)
    let end = (place.start + UInt64(place.trueCount) * 16).roundedUp(to: 4096) ?? .max
    return offset >= first && offset < end ? offset : nil
  }

  /// Whether the byte at `address` is one that the guest leaves for.
  package func claims(address: UInt64) -> Bool { tableOffset(address) != nil }

  /// Reads `width` bytes (1, 2, 4 or 8) at an address that the function claims. What else is on the table's pages reads
  /// as zero.
  package func readMemory(_ address: UInt64, width: Int) -> UInt64 {
    guard let offset = tableOffset(address) else { return .max }
    var value: UInt64 = 0
    for index in 0..<min(width, 8) {
      value |= UInt64(readByte(offset &+ UInt64(index))) << UInt64(8 * index)
    }
    return value
  }

  private func readByte(_ offset: UInt64) -> UInt8 {
    guard let place = configuration.table else { return 0xff }
    if offset >= place.start, offset - place.start < UInt64(place.trueCount) * 16 {
      let index = Int(offset - place.start)
      return UInt8(truncatingIfNeeded: messages.read(index / 4) >> UInt32(8 * (index & 3)))
    }
    if place.pendingRange == place.range, offset >= place.pendingStart, offset - place.pendingStart < 4 {
      return UInt8(truncatingIfNeeded: messages.readPending(0) >> UInt32(8 * (offset - place.pendingStart)))
    }
    return 0
  }

  /// Writes `width` bytes (1, 2, 4 or 8) at an address that the function claims.
  package mutating func writeMemory(_ address: UInt64, width: Int, value: UInt64) {
    guard let offset = tableOffset(address), let place = configuration.table, offset >= place.start, offset & 3 == 0,
      width == 4 || width == 8
    else { return }
    let index = Int((offset - place.start) / 4)
    messages.write(UInt32(truncatingIfNeeded: value), at: index)
    if width == 8 { messages.write(UInt32(truncatingIfNeeded: value >> 32), at: index + 1) }
    updateMasks()
  }
}
