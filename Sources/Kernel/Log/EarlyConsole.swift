// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86

/// The UARTs and the screen as the kernel writes to them while no console does: UARTs by polling, before the console
/// starts and after it died. Which of the ports people look at only the console knows, so all show everything.
enum EarlyConsole {
  /// Sets all UARTs to 115200 baud, 8N1, FIFO.
  static func prepare() { earlyPorts.each { prepare($0) } }

  static func write(_ byte: UInt8) {
    earlyPorts.each { write(byte, to: $0) }
    earlyScreen.write(byte)
  }

  /// Sets up one UART.
  static func prepare(_ port: UInt16) {
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
