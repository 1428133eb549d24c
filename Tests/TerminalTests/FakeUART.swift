// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Terminal

/// A 16550 with somebody at the other end of the line.
final class FakeUART {
  /// What was sent.
  var sent: [UInt8] = []
  /// What is still to be received.
  var incoming: [UInt8] = []
  /// Bytes the transmitter takes before it has to be emptied by `drain`; `nil` for one that is always empty.
  var slots: Int?
  private var used = 0
  private var scratch: UInt8 = 0
  private(set) var interruptEnable: UInt8 = 0
  private(set) var lineControl: UInt8 = 0
  private(set) var modemControl: UInt8 = 0
  private(set) var divisor: UInt16 = 0
  private var transmitterCause = false

  /// Sends what the transmit FIFO holds.
  func drain() {
    if used > 0, interruptEnable & 2 != 0 { transmitterCause = true }
    used = 0
  }

  func load(_ offset: UInt16) -> UInt8 {
    switch offset {
    case 0: return incoming.isEmpty ? 0 : incoming.removeFirst()
    case 1: return interruptEnable
    case 2:
      if interruptEnable & 1 != 0, !incoming.isEmpty { return 0xc4 }
      if transmitterCause {
        transmitterCause = false
        return 0xc2
      }
      return 0xc1
    case 3: return lineControl
    case 4: return modemControl
    case 5: return (incoming.isEmpty ? 0 : 1) | (used == 0 ? 0x60 : 0)
    case 7: return scratch
    default: return 0
    }
  }

  func store(_ value: UInt8, at offset: UInt16) {
    let isDivisor = lineControl & 0x80 != 0
    switch offset {
    case 0 where isDivisor: divisor = divisor & 0xff00 | UInt16(value)
    case 1 where isDivisor: divisor = divisor & 0x00ff | UInt16(value) << 8
    case 0:
      sent.append(value)
      if let slots {
        precondition(used < slots, "the transmitter was overrun")
        used += 1
      }
    case 1:
      if interruptEnable & 2 == 0, value & 2 != 0, used == 0 { transmitterCause = true }
      interruptEnable = value
    case 3: lineControl = value
    case 4: modemControl = value
    case 7: scratch = value
    default: break
    }
  }
}

/// The ports of a `FakeUART`.
struct FakePorts: PortSpace {
  let uart: FakeUART
  mutating func load(_ offset: UInt16) -> UInt8 { uart.load(offset) }
  mutating func store(_ value: UInt8, at offset: UInt16) { uart.store(value, at: offset) }
}

/// Ports where every register always reads the same.
struct ConstantPorts: PortSpace {
  var value: UInt8
  var loads = 0
  mutating func load(_ offset: UInt16) -> UInt8 {
    loads += 1
    return value
  }
  mutating func store(_ value: UInt8, at offset: UInt16) {}
}
