// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Terminal

@Suite struct SerialPortTests {
  private func queue(_ text: String = "", capacity: UInt64 = 4096) -> ByteQueue {
    var queue = ByteQueue(unsafeBase: FakeSystem.zeroed(Int(capacity)), capacity: capacity)
    for byte in text.utf8 { queue.append(byte) }
    return queue
  }

  @Test func `a port is set to 8N1 at its rate, with the receiver's interrupt let through`() throws {
    let uart = FakeUART()

    _ = try SerialPort(FakePorts(uart: uart), baud: 9600)

    #expect(uart.divisor == 12)
    #expect(uart.lineControl == 0x03)
    #expect(uart.modemControl == 0x0b)
    #expect(uart.interruptEnable == 0x01)
  }

  @Test(arguments: [UInt8(0xff), 0x00])
  func `ports where nothing answers are no serial port, and nobody waits for them`(answer: UInt8) {
    #expect(throws: SerialPortError.absent) { try SerialPort(ConstantPorts(value: answer), baud: 115_200) }
  }

  @Test(arguments: [UInt32(0), 115_201, 1])
  func `a rate that has no divisor is refused`(baud: UInt32) {
    #expect(throws: SerialPortError.unusableRate) { try SerialPort(FakePorts(uart: FakeUART()), baud: baud) }
  }

  @Test func `the transmitter gets at most 16 bytes, and calls again only while something waits`() throws {
    let uart = FakeUART()
    uart.slots = 16
    var port = try SerialPort(FakePorts(uart: uart), baud: 115_200)
    var waiting = queue(String(repeating: "x", count: 40))
    var keys = queue()

    port.transmit(from: &waiting)
    #expect(uart.sent.count == 16)
    #expect(uart.interruptEnable == 0x03)
    port.transmit(from: &waiting)
    #expect(uart.sent.count == 16)
    uart.drain()
    port.service(received: &keys, queued: &waiting)
    #expect(uart.sent.count == 32)
    uart.drain()
    port.service(received: &keys, queued: &waiting)
    #expect(uart.sent.count == 40)
    #expect(uart.interruptEnable == 0x01)
  }

  @Test func `what is typed is taken until the receiver is empty`() throws {
    let uart = FakeUART()
    var port = try SerialPort(FakePorts(uart: uart), baud: 115_200)
    var keys = queue()
    var waiting = queue()
    uart.incoming = Array("0123456789abcdefghi".utf8)

    port.service(received: &keys, queued: &waiting)

    #expect(keys.count == 19)
    #expect(keys.removeFirst() == 0x30)
  }

  @Test func `keys that find no room are counted`() throws {
    let uart = FakeUART()
    var port = try SerialPort(FakePorts(uart: uart), baud: 115_200)
    var keys = queue(capacity: 8)
    uart.incoming = Array("0123456789".utf8)

    port.receive(into: &keys)

    #expect(keys.count == 8)
    #expect(port.takeOverruns() == 2)
    #expect(port.takeOverruns() == 0)
  }

  @Test func `a UART that turns to 0xff, or never stops calling, ends no loop late`() throws {
    for answer: UInt8 in [0xff, 0x00, 0x01, 0x61, 0xc2, 0x1d] {
      var port = try SerialPort(TurningPorts(), baud: 115_200)
      port.turn(to: answer)
      var keys = queue()
      var waiting = queue(String(repeating: "x", count: 1000))

      port.service(received: &keys, queued: &waiting)
      port.receive(into: &keys)
      port.transmit(from: &waiting)

      #expect(port.space.loads < 32 * (64 * 2 + 16 + 2) + 200)
    }
  }
}

/// A UART that works while it is set up, and then answers everything with one value.
struct TurningPorts: PortSpace {
  let uart = FakeUART()
  let state = State()
  final class State {
    var answer: UInt8?
    var loads = 0
  }
  var loads: Int { state.loads }
  mutating func load(_ offset: UInt16) -> UInt8 {
    state.loads += 1
    return state.answer ?? uart.load(offset)
  }
  mutating func store(_ value: UInt8, at offset: UInt16) { uart.store(value, at: offset) }
}

extension SerialPort<TurningPorts> {
  func turn(to answer: UInt8) { space.state.answer = answer }
}
