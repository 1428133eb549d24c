// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What a BIOS notes of the machine at 0x400 (IBM PS/2 and PC BIOS Interface Technical Reference, §3); after a start by
/// UEFI that is memory like any other, which may say anything.
package struct BIOSDataArea: Equatable, Sendable {
  /// The first I/O ports of the serial ports that it found, COM1 first; 0 for none.
  private(set) var serialPorts: InlineArray<4, UInt16> = InlineArray(repeating: 0)
  /// The mode of the screen: 2, 3 and 7 are text.
  let videoMode: UInt8
  let columns: UInt16
  /// Rows less 1, where the BIOS says so.
  let lastRow: UInt8

  /// `nil` if it cannot be read.
  package init?<M: PhysicalMemory & ~Copyable>(in memory: borrowing M) {
    guard let bytes = memory.bytes(at: PhysicalAddress(0x400), count: 0x100),
      let videoMode = bytes.load(0x49, as: UInt8.self), let columns = bytes.load(0x4a, as: UInt16.self),
      let lastRow = bytes.load(0x84, as: UInt8.self)
    else { return nil }
    self.videoMode = videoMode
    self.columns = columns
    self.lastRow = lastRow
    for index in 0..<4 { serialPorts[index] = bytes.load(2 * index, as: UInt16.self) ?? 0 }
  }

  /// What to tell who sits at a UART at `port` and sees nothing: that the BIOS found none there, but another; `nil` if it
  /// found that one, or none at all.
  package func hint(for port: UInt16) -> LogLine? {
    var other: UInt16?
    for index in 0..<4 where serialPorts[index] != 0 {
      if serialPorts[index] == port { return nil }
      other = other ?? serialPorts[index]
    }
    return other.map { "the BIOS found no serial port at \(hex: port), but one at \(hex: $0)" }
  }

  package static func == (left: Self, right: Self) -> Bool {
    for index in 0..<4 where left.serialPorts[index] != right.serialPorts[index] { return false }
    return left.videoMode == right.videoMode && left.columns == right.columns && left.lastRow == right.lastRow
  }
}
