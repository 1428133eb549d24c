// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Machine

/// Registers by their usual names.
private enum Port {
  static let data: UInt16 = 0
  static let interruptEnable: UInt16 = 1
  static let identification: UInt16 = 2
  static let fifoControl: UInt16 = 2
  static let lineControl: UInt16 = 3
  static let modemControl: UInt16 = 4
  static let lineStatus: UInt16 = 5
  static let modemStatus: UInt16 = 6
  static let scratch: UInt16 = 7
}

final class UARTTests {
  private var uart = UART()

  private func read(_ offset: UInt16) -> UInt8 { uart.read(offset) }
  private func write(_ value: UInt8, to offset: UInt16) -> UART.Effect { uart.write(value, to: offset) }

  /// FIFOs on, trigger level `trigger` (FCR bits 6 and 7), OUT2 on, interrupts `enabled`.
  private func start(trigger: UInt8 = 0, enabled: UInt8 = 0x0f) {
    _ = write(0x01 | trigger << 6, to: Port.fifoControl)
    _ = write(0x0b, to: Port.modemControl)
    _ = write(enabled, to: Port.interruptEnable)
    _ = read(Port.modemStatus)
    while read(Port.identification) & 1 == 0 {}
  }

  @Test func `a byte written leaves at once and the transmitter is empty again`() {
    #expect(write(0x41, to: Port.data) == .transmit(0x41))
    #expect(read(Port.lineStatus) == 0x60)
  }

  @Test func `the divisor hides data and interrupt enable`() {
    _ = write(0x80, to: Port.lineControl)
    #expect(write(0x34, to: Port.data) == .none)
    _ = write(0x12, to: Port.interruptEnable)
    #expect(read(Port.data) == 0x34)
    #expect(read(Port.interruptEnable) == 0x12)
    _ = write(0x03, to: Port.lineControl)
    #expect(read(Port.interruptEnable) == 0)
    #expect(read(Port.lineControl) == 0x03)
  }

  @Test func `scratch and the four interrupt enables keep what is written, the rest of IER is zero`() {
    _ = write(0xa5, to: Port.scratch)
    _ = write(0xff, to: Port.interruptEnable)
    #expect(read(Port.scratch) == 0xa5)
    #expect(read(Port.interruptEnable) == 0x0f)
  }

  @Test func `it identifies itself as a 16550A and nothing newer`() {
    #expect(read(Port.identification) == 0x01)
    _ = write(0x21, to: Port.fifoControl)
    #expect(read(Port.identification) == 0xc1)
    _ = write(0xa0, to: Port.lineControl)
    _ = write(0x21, to: Port.fifoControl)
    #expect(read(Port.identification) == 0xc1)
    _ = write(0x00, to: Port.fifoControl)
    #expect(read(Port.identification) == 0x01)
  }

  @Test func `other bits of FCR count only with the enable bit`() {
    start()
    uart.receive(1)
    _ = write(0xc6, to: Port.fifoControl)
    #expect(read(Port.identification) == 0x01)
    #expect(read(Port.lineStatus) & 1 == 0)
  }
}

// MARK: - Receiving

extension UARTTests {
  @Test(arguments: [(0, 1), (1, 4), (2, 8), (3, 14)] as [(UInt8, Int)])
  func `below its trigger level the receiver reports a time-out, from there on data`(
    trigger: UInt8, level: Int
  ) {
    start(trigger: trigger)
    for count in 1...16 {
      uart.receive(UInt8(count))
      #expect(read(Port.identification) & 0x0f == (count >= level ? 0x04 : 0x0c))
      #expect(uart.interruptLine)
    }
    for count in 1...16 { #expect(read(Port.data) == UInt8(count)) }
    #expect(!uart.interruptLine)
    #expect(read(Port.lineStatus) & 1 == 0)
  }

  @Test func `a full FIFO keeps what it has and reports the overrun once, before all else`() {
    start()
    for count in 0..<17 { uart.receive(UInt8(count)) }
    #expect(uart.receiveSpace == 0)
    #expect(read(Port.identification) & 0x0f == 0x06)
    #expect(read(Port.lineStatus) == 0x63)
    #expect(read(Port.lineStatus) == 0x61)
    for count in 0..<16 { #expect(read(Port.data) == UInt8(count)) }
  }

  @Test func `a BREAK is a byte of zeros with its own error, in its place among the others`() {
    start(trigger: 3)
    uart.receive(0x41)
    uart.receiveBreak()
    uart.receive(0x42)
    #expect(read(Port.lineStatus) == 0xe1)
    #expect(read(Port.identification) & 0xf == 0xc)
    #expect(read(Port.data) == 0x41)
    #expect(read(Port.identification) & 0xf == 0x6)
    #expect(read(Port.lineStatus) == 0xf1)
    #expect(read(Port.lineStatus) == 0x61)
    #expect(read(Port.data) == 0)
    #expect(read(Port.data) == 0x42)
    #expect(read(Port.lineStatus) == 0x60)
    uart.receiveBreak()
    _ = write(0x03, to: Port.fifoControl)
    uart.receive(0x43)
    #expect(read(Port.lineStatus) == 0x61)
  }

  @Test func `without FIFOs there is room for one byte and the next one takes its place`() {
    #expect(uart.receiveSpace == 1)
    uart.receive(1)
    #expect(uart.receiveSpace == 0)
    uart.receive(2)
    #expect(read(Port.lineStatus) == 0x63)
    #expect(read(Port.data) == 2)
  }

  @Test func `clearing the receiver forgets its bytes`() {
    start()
    uart.receive(1)
    _ = write(0x03, to: Port.fifoControl)
    #expect(read(Port.lineStatus) & 1 == 0)
    #expect(uart.receiveSpace == 16)
    #expect(read(Port.data) == 0)
  }
}

// MARK: - Transmitter interrupt

extension UARTTests {
  @Test func `enabling the transmitter interrupt raises it each time, as Linux tests`() {
    start(enabled: 0)
    for _ in 0..<2 {
      _ = write(0x02, to: Port.interruptEnable)
      #expect(uart.interruptLine)
      #expect(read(Port.identification) == 0xc2)
      #expect(read(Port.identification) == 0xc1)
      _ = write(0x00, to: Port.interruptEnable)
    }
  }

  @Test func `reading IIR ends the transmitter interrupt only if that is what it names`() {
    start()
    uart.receive(1)
    _ = write(0x41, to: Port.data)
    #expect(read(Port.identification) == 0xc4)
    _ = read(Port.data)
    #expect(read(Port.identification) == 0xc2)
    #expect(!uart.interruptLine)
    _ = write(0x42, to: Port.data)
    #expect(uart.interruptLine)
  }

  @Test func `while the console has no room the guest waits, and is told when there is room again`() {
    start()
    uart.canTransmit = false
    #expect(read(Port.lineStatus) == 0)
    #expect(write(0x41, to: Port.data) == .transmit(0x41))
    #expect(!uart.interruptLine)
    _ = write(0, to: Port.interruptEnable)
    _ = write(0x02, to: Port.interruptEnable)
    #expect(!uart.interruptLine)
    uart.canTransmit = true
    #expect(uart.interruptLine)
    #expect(read(Port.lineStatus) == 0x60)
    #expect(read(Port.identification) == 0xc2)
  }
}

// MARK: - Modem lines

extension UARTTests {
  @Test func `the console is there and ready: CTS, DSR and DCD are on`() {
    #expect(read(Port.modemStatus) == 0xb0)
  }

  @Test func `in loopback mode the outputs are the modem's lines, as Linux tests`() {
    _ = write(0x1a, to: Port.modemControl)
    #expect(read(Port.modemStatus) & 0xf0 == 0x90)
    _ = write(0x15, to: Port.modemControl)
    #expect(read(Port.modemStatus) == 0x6b)
    _ = write(0x11, to: Port.modemControl)
    #expect(read(Port.modemStatus) == 0x24)
    #expect(read(Port.modemStatus) == 0x20)
  }

  @Test func `in loopback mode what is sent comes back and nothing else does`() {
    start()
    _ = write(0x1b, to: Port.modemControl)
    #expect(write(0x55, to: Port.data) == .none)
    uart.receive(0x66)
    #expect(uart.receiveSpace == 0)
    #expect(!uart.interruptLine)
    #expect(read(Port.data) == 0x55)
    #expect(read(Port.lineStatus) & 1 == 0)
  }

  @Test func `without OUT2 no interrupt leaves the port`() {
    start()
    uart.receive(1)
    #expect(uart.interruptLine)
    _ = write(0x03, to: Port.modemControl)
    #expect(!uart.interruptLine)
  }

  @Test func `a changed modem line interrupts until MSR is read`() {
    start()
    _ = write(0x10, to: Port.modemControl)
    _ = write(0x0b, to: Port.modemControl)
    #expect(read(Port.identification) == 0xc0)
    #expect(read(Port.modemStatus) & 0x0f != 0)
    #expect(!uart.interruptLine)
  }

  @Test func `read-only registers ignore writes`() {
    _ = write(0xff, to: Port.lineStatus)
    _ = write(0xff, to: Port.modemStatus)
    #expect(read(Port.lineStatus) == 0x60)
    #expect(read(Port.modemStatus) == 0xb0)
  }
}

// MARK: - Hostile guests

extension UARTTests {
  @Test func `no sequence of accesses traps or loses a byte that there was room for`() {
    var random = SplitMix64(seed: 0x16550)
    for _ in 0..<fuzzRounds(200_000) {
      let word = random.next()
      switch word & 7 {
      case 0: uart.canTransmit.toggle()
      case 1:
        let space = uart.receiveSpace
        uart.receive(UInt8(truncatingIfNeeded: word >> 8))
        if space > 0 { #expect(uart.receiveSpace == space - 1) }
      case 2, 3, 4: _ = read(UInt16(truncatingIfNeeded: word >> 16))
      default: _ = write(UInt8(truncatingIfNeeded: word >> 8), to: UInt16(truncatingIfNeeded: word >> 16))
      }
      #expect((0...16).contains(uart.receiveSpace))
    }
  }
}
