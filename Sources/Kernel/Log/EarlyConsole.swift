// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86

/// The UART as the kernel writes to it while no console does: by polling, before the console starts and after it died.
struct EarlyConsole {
  /// The first port of the UART that is known to be the console; 0 while that is unknown, then both are written to.
  var port: UInt16 = 0

  /// Sets both usual UARTs to 115200 baud, 8N1, FIFO.
  static func prepare() {
    prepare(0x3f8)
    prepare(0x2f8)
  }

  func write(_ byte: UInt8) {
    if port != 0 {
      Self.write(byte, to: port)
    } else {
      Self.write(byte, to: 0x3f8)
      Self.write(byte, to: 0x2f8)
    }
  }

  private static func prepare(_ port: UInt16) {
    cx86_out8(port + 1, 0)
    cx86_out8(port + 3, 0x80)
    cx86_out8(port, 1)
    cx86_out8(port + 1, 0)
    cx86_out8(port + 3, 3)
    cx86_out8(port + 2, 7)
    cx86_out8(port + 4, 3)
  }

  /// Waits for room, but not for a UART that is not there: its status reads as all ones.
  private static func write(_ byte: UInt8, to port: UInt16) {
    for _ in 0..<100_000 {
      let status = cx86_in8(port + 5)
      if status == 0xff { return }
      if status & 0x20 != 0 { break }
    }
    cx86_out8(port, byte)
  }
}
