// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Machine

/// A pair as Linux programs it: vectors 0x30 and 0x38, everything unmasked.
private func initialised(mode: UInt8 = 0x01) -> InterruptControllerPair {
  var pair = InterruptControllerPair()
  for (port, value) in [
    (0x20, 0x11), (0x21, 0x30), (0x21, 0x04), (0x21, Int(mode)),
    (0xa0, 0x11), (0xa1, 0x38), (0xa1, 0x02), (0xa1, 0x01),
  ] { pair.write(port: UInt16(port), value: UInt8(value)) }
  return pair
}

extension InterruptControllerPair {
  fileprivate mutating func pulse(_ irq: Int) {
    setLine(irq, isHigh: true)
    setLine(irq, isHigh: false)
  }
}

@Suite struct InterruptControllerPairTests {
  @Test func `an edge asks for service and its acknowledge gives the vector`() {
    var pair = initialised()
    pair.setLine(4, isHigh: true)

    #expect(pair.hasInterrupt)
    #expect(pair.acknowledge() == 0x34)
    #expect(!pair.hasInterrupt)
  }

  @Test func `a line that stays high makes no second edge`() {
    var pair = initialised()
    pair.setLine(4, isHigh: true)
    _ = pair.acknowledge()
    pair.write(port: 0x20, value: 0x20)
    pair.setLine(4, isHigh: true)

    #expect(!pair.hasInterrupt)
    pair.setLine(4, isHigh: false)
    pair.setLine(4, isHigh: true)
    #expect(pair.hasInterrupt)
  }

  @Test func `an edge stays latched when its line falls`() {
    var pair = initialised()
    pair.pulse(0)

    #expect(pair.acknowledge() == 0x30)
  }

  @Test func `a level-triggered line asks again after the end of interrupt while it is high`() {
    var pair = initialised()
    pair.write(port: 0x4d1, value: 0x08)
    pair.setLine(11, isHigh: true)

    #expect(pair.acknowledge() == 0x3b)
    pair.write(port: 0xa0, value: 0x20)
    pair.write(port: 0x20, value: 0x20)
    #expect(pair.hasInterrupt)
    pair.setLine(11, isHigh: false)
    #expect(!pair.hasInterrupt)
  }

  @Test func `the trigger modes of IRQ 0, 1, 2, 8 and 13 cannot be changed`() {
    var pair = initialised()
    pair.write(port: 0x4d0, value: 0xff)
    pair.write(port: 0x4d1, value: 0xff)

    #expect(pair.read(port: 0x4d0) == 0xf8)
    #expect(pair.read(port: 0x4d1) == 0xde)
  }

  @Test func `a masked line waits in the request register`() {
    var pair = initialised()
    pair.write(port: 0x21, value: 0x10)
    pair.pulse(4)

    #expect(!pair.hasInterrupt)
    #expect(pair.read(port: 0x20) == 0x10)
    #expect(pair.read(port: 0x21) == 0x10)
    pair.write(port: 0x21, value: 0)
    #expect(pair.acknowledge() == 0x34)
  }

  @Test func `lower inputs go first, and a higher one interrupts service`() {
    var pair = initialised()
    pair.pulse(6)
    pair.pulse(4)

    #expect(pair.acknowledge() == 0x34)
    #expect(!pair.hasInterrupt)
    pair.pulse(1)
    #expect(pair.acknowledge() == 0x31)
    pair.write(port: 0x20, value: 0x20)
    #expect(!pair.hasInterrupt)
    pair.write(port: 0x20, value: 0x20)
    #expect(pair.acknowledge() == 0x36)
  }

  @Test func `OCW3 chooses which register is read`() {
    var pair = initialised()
    pair.pulse(3)
    _ = pair.acknowledge()
    pair.pulse(5)

    pair.write(port: 0x20, value: 0x0b)
    #expect(pair.read(port: 0x20) == 0x08)
    pair.write(port: 0x20, value: 0x0a)
    #expect(pair.read(port: 0x20) == 0x20)
  }

  @Test func `a specific end of interrupt ends the one it names`() {
    var pair = initialised()
    pair.pulse(5)
    _ = pair.acknowledge()
    pair.pulse(3)
    _ = pair.acknowledge()
    pair.write(port: 0x20, value: 0x65)
    pair.write(port: 0x20, value: 0x0b)

    #expect(pair.read(port: 0x20) == 0x08)
  }

  @Test func `rotate on end of interrupt puts the ended input last`() {
    var pair = initialised()
    pair.pulse(3)
    _ = pair.acknowledge()
    pair.write(port: 0x20, value: 0xa0)
    pair.pulse(3)
    pair.pulse(7)

    #expect(pair.acknowledge() == 0x37)
  }

  @Test func `set priority names the last input`() {
    var pair = initialised()
    pair.write(port: 0x20, value: 0xc0 | 4)
    pair.pulse(0)
    pair.pulse(5)

    #expect(pair.acknowledge() == 0x35)
  }

  @Test func `rotate on a specific end puts the named input last`() {
    var pair = initialised()
    pair.pulse(1)
    _ = pair.acknowledge()
    pair.write(port: 0x20, value: 0xe1)
    pair.pulse(0)
    pair.pulse(4)

    #expect(pair.acknowledge() == 0x34)
  }

  @Test func `automatic end of interrupt leaves nothing in service, and rotates if told to`() {
    var pair = initialised(mode: 0x03)
    pair.write(port: 0x20, value: 0x80)
    pair.pulse(0)

    #expect(pair.acknowledge() == 0x30)
    pair.write(port: 0x20, value: 0x0b)
    #expect(pair.read(port: 0x20) == 0)
    pair.pulse(0)
    pair.pulse(1)
    #expect(pair.acknowledge() == 0x31)
    #expect(pair.acknowledge() == 0x30)
  }

  @Test func `a request of the second chip arrives through input 2 with the second chip's vector`() {
    var pair = initialised()
    pair.pulse(14)

    #expect(pair.read(port: 0x20) == 0x04)
    #expect(pair.acknowledge() == 0x3e)
    #expect(pair.isBusy(14))
    pair.write(port: 0xa0, value: 0x66)
    pair.write(port: 0x20, value: 0x62)
    #expect(!pair.isBusy(14))
  }

  @Test func `two requests of the second chip are both served`() {
    var pair = initialised()
    pair.pulse(14)
    pair.pulse(15)

    #expect(pair.acknowledge() == 0x3e)
    pair.write(port: 0xa0, value: 0x20)
    pair.write(port: 0x20, value: 0x20)
    #expect(pair.acknowledge() == 0x3f)
  }

  @Test func `only special fully nested mode lets the second chip interrupt itself`() {
    for (mode, interrupts) in [(UInt8(0x01), false), (0x11, true)] {
      var pair = initialised(mode: mode)
      pair.pulse(12)
      _ = pair.acknowledge()
      pair.pulse(8)
      #expect(pair.hasInterrupt == interrupts)
    }
  }

  @Test func `special mask mode lets lower inputs through a masked one in service`() {
    var pair = initialised()
    pair.pulse(3)
    _ = pair.acknowledge()
    pair.pulse(5)
    pair.write(port: 0x21, value: 0x08)
    #expect(!pair.hasInterrupt)

    pair.write(port: 0x20, value: 0x68)
    #expect(pair.acknowledge() == 0x35)
    // The non-specific end spares the masked one.
    pair.write(port: 0x20, value: 0x20)
    pair.write(port: 0x20, value: 0x20)
    pair.write(port: 0x20, value: 0x0b)
    #expect(pair.read(port: 0x20) == 0x08)
    pair.write(port: 0x20, value: 0x48)
    #expect(!pair.hasInterrupt)
  }

  @Test func `a poll acknowledges, once`() {
    var pair = initialised()
    pair.pulse(6)
    pair.write(port: 0x20, value: 0x0c)

    #expect(pair.read(port: 0x20) == 0x86)
    #expect(pair.isBusy(6))
    pair.write(port: 0x20, value: 0x0c)
    #expect(pair.read(port: 0x20) == 0)
    #expect(pair.read(port: 0x20) == 0)
  }

  @Test func `a request that has gone is a spurious IRQ 7 that is not in service`() {
    var pair = initialised()
    #expect(pair.acknowledge() == 0x37)
    #expect(!pair.isBusy(7))
  }

  @Test func `the second chip's own spurious vector is that of IRQ 15`() {
    var chip = InterruptController8259(cascadeInput: 8, levelCapable: 0xde)
    chip.writeCommand(0x11)
    for value in [0x38, 0x02, 0x01] { chip.writeData(UInt8(value)) }

    let answer = chip.acknowledge()
    #expect(answer.input == nil)
    #expect(answer.vector == 0x3f)
  }

  @Test func `ICW1 clears mask, service and edges, and the edge has to come anew`() {
    var pair = initialised()
    pair.setLine(1, isHigh: true)
    pair.write(port: 0x21, value: 0xff)
    pair.write(port: 0x20, value: 0x11)

    #expect(!pair.hasInterrupt)
    for value in [0x40, 0x04, 0x01] { pair.write(port: 0x21, value: UInt8(value)) }
    #expect(pair.read(port: 0x21) == 0)
    pair.setLine(1, isHigh: true)
    #expect(!pair.hasInterrupt)
    pair.setLine(1, isHigh: false)
    pair.setLine(1, isHigh: true)
    #expect(pair.acknowledge() == 0x41)
  }

  @Test func `a single chip without ICW4 is ready after ICW2`() {
    var pair = InterruptControllerPair()
    pair.write(port: 0x20, value: 0x12)
    pair.write(port: 0x21, value: 0x57)
    pair.write(port: 0x21, value: 0xab)

    #expect(pair.read(port: 0x21) == 0xab)
    pair.write(port: 0x21, value: 0)
    pair.pulse(0)
    #expect(pair.acknowledge() == 0x50)
  }

  @Test func `lines that do not exist do nothing`() {
    var pair = initialised()
    for irq in [2, -1, 16, Int.max, Int.min] { pair.setLine(irq, isHigh: true) }

    #expect(!pair.hasInterrupt)
    #expect(!pair.isBusy(16))
    #expect(pair.read(port: 0x22) == 0xff)
  }

  @Test func `random use never traps, and what is acknowledged was asked for`() {
    var random = SplitMix64(seed: 0x8259)
    let ports: [UInt16] = [0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1]
    for _ in 0..<fuzzRounds(1000) {
      var pair = InterruptControllerPair()
      for _ in 0..<1000 {
        let port = ports[Int(random.next() % 6)]
        switch random.next() % 4 {
        case 0: _ = pair.read(port: port)
        case 1: pair.write(port: port, value: UInt8(truncatingIfNeeded: random.next()))
        case 2: pair.setLine(Int(random.next() % 18) - 1, isHigh: random.next() & 1 == 0)
        default: if pair.hasInterrupt { _ = pair.acknowledge() }
        }
      }
    }
  }
}
