// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Eight byte-wide registers: I/O ports on the machine, a script in a test.
package protocol PortSpace {
  mutating func load(_ offset: UInt16) -> UInt8
  mutating func store(_ value: UInt8, at offset: UInt16)
}

/// Why there is no serial port.
package enum SerialPortError: Error, Equatable {
  /// Nothing answers at the ports.
  case absent
  /// The rate is no divisor of 115200 that the UART can be given.
  case unusableRate
}

/// A 16550 UART, driven by its interrupt in both directions (National Semiconductor PC16550D).
///
/// Every loop is bounded: a UART that vanishes or babbles costs time, not the console. The transmitter's interrupt is
/// on only while something waits to be sent.
package struct SerialPort<Space: PortSpace> {
  /// Bytes read in one go; a 16550 holds 16.
  private static var receiveLimit: Int { 64 }
  /// Times the transmit FIFO is filled in one go: an emulated one empties at once.
  private static var fillLimit: Int { 16 }
  /// Causes looked at in one interrupt.
  private static var causeLimit: Int { 32 }

  package private(set) var space: Space
  /// Bytes the transmitter takes when it is empty.
  private var depth = 1
  private var isTransmitting = false
  /// Characters that came faster than they were taken.
  private(set) var overruns: UInt64 = 0

  /// Sets the UART to 8 bits, no parity, one stop bit at `baud`, with FIFOs and the receiver's interrupt.
  package init(_ space: Space, baud: UInt32) throws(SerialPortError) {
    self.space = space
    guard baud > 0, case let divisor = 115_200 / baud, (1...0xffff).contains(divisor) else { throw .unusableRate }
    try detect()
    self[.interruptEnable] = .none
    self[.lineControl] = .divisorAccess
    self.space.store(UInt8(truncatingIfNeeded: divisor), at: SerialOffset.divisorLow)
    self.space.store(UInt8(truncatingIfNeeded: divisor >> 8), at: SerialOffset.divisorHigh)
    self[.lineControl] = .eightBits
    self[.fifoControl] = .enable | .clearReceiver | .clearTransmitter | .triggerAt8
    self[.modemControl] = .dataTerminalReady | .requestToSend | .interruptGate
    if self[.interruptCause].contains(.hasFIFO) { depth = 16 }
    _ = self.space.load(SerialOffset.modemStatus)
    self[.interruptEnable] = .received
  }

  private subscript<Word>(register: SerialRegister<Word>) -> Word {
    mutating get { Word(rawValue: space.load(register.offset)) }
    set { space.store(newValue.rawValue, at: register.offset) }
  }

  private mutating func detect() throws(SerialPortError) {
    guard self[.lineStatus] != .absent else { throw .absent }
    for pattern: UInt8 in 0x5a...0x5b {
      space.store(pattern, at: SerialOffset.scratch)
      guard space.load(SerialOffset.scratch) == pattern else { throw .absent }
    }
  }

  /// Answers the UART's interrupt until it has no more cause: its line is an edge, and falls only then.
  mutating func service(received: inout ByteQueue, queued: inout ByteQueue) {
    for _ in 0..<Self.causeLimit {
      guard !self[.interruptCause].contains(.nothing) else { return }
      receive(into: &received)
      transmit(from: &queued)
      _ = space.load(SerialOffset.modemStatus)
    }
  }

  /// Takes what was typed; what `queue` has no room for is counted as an overrun.
  mutating func receive(into queue: inout ByteQueue) {
    for _ in 0..<Self.receiveLimit {
      let status = self[.lineStatus]
      guard status != .absent, status.contains(.dataReady) else { return }
      if status.contains(.overrun) { overruns += 1 }
      let byte = space.load(SerialOffset.data)
      // A break or a character garbled on the line is not a key anybody pressed.
      if status.intersects(.lineBreak | .framingError) { continue }
      if queue.append(byte) == 0 { overruns += 1 }
    }
  }

  /// Fills the transmitter, and has it call again if something is left.
  mutating func transmit(from queue: inout ByteQueue) {
    for _ in 0..<Self.fillLimit where queue.count > 0 {
      guard self[.lineStatus].contains(.transmitterEmpty) else { break }
      for _ in 0..<depth {
        guard let byte = queue.removeFirst() else { break }
        space.store(byte, at: SerialOffset.data)
      }
    }
    guard isTransmitting != (queue.count > 0) else { return }
    isTransmitting.toggle()
    self[.interruptEnable] = isTransmitting ? .received | .transmitterEmpty : .received
  }

  /// How many characters were lost; they are counted anew from here.
  mutating func takeOverruns() -> UInt64 {
    defer { overruns = 0 }
    return overruns
  }
}
