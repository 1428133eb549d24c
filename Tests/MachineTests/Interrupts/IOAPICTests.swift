// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Machine

extension IOAPIC {
  fileprivate mutating func set(_ register: UInt32, _ value: UInt32) {
    write(offset: 0, value: register)
    write(offset: 0x10, value: value)
  }

  fileprivate func get(_ register: UInt32) -> UInt32 {
    var copy = self
    copy.write(offset: 0, value: register)
    return copy.read(offset: 0x10)
  }

  fileprivate static func programmed(_ pin: UInt32, _ low: UInt32, destination: UInt32 = 0) -> IOAPIC {
    var apic = IOAPIC()
    apic.set(0x11 + 2 * pin, destination << 24)
    apic.set(0x10 + 2 * pin, low)
    return apic
  }
}

private func fixed(_ vector: UInt8, _ trigger: Trigger) -> IOAPICMessage {
  IOAPICMessage(vector: vector, mode: .fixed, destination: 0, isLogical: false, trigger: trigger)
}

@Suite struct IOAPICTests {
  // MARK: - Registers

  @Test func `identity, version and arbitration are where they should be`() {
    var apic = IOAPIC(identity: 3)
    #expect(apic.get(0) == 0x0300_0000)
    #expect(apic.get(1) == 0x0017_0020)
    apic.set(0, 0xffff_ffff)
    #expect(apic.get(0) == 0x0f00_0000)
    #expect(apic.get(2) == 0x0f00_0000)
    apic.set(1, 0)
    #expect(apic.get(1) == 0x0017_0020)
  }

  @Test func `all 24 entries come up masked, and beyond them there is nothing`() {
    var apic = IOAPIC()
    for pin: UInt32 in 0..<24 {
      #expect(apic.get(0x10 + 2 * pin) == 0x10000)
      #expect(apic.get(0x11 + 2 * pin) == 0)
    }
    apic.set(0x40, 0xffff_ffff)
    #expect(apic.get(0x40) == 0)
    #expect(apic.get(0xff) == 0)
    #expect(apic.read(offset: 0x20) == 0)
  }

  @Test func `delivery status and remote IRR cannot be written, and the index reads back`() {
    var apic = IOAPIC.programmed(5, 0xffff_ffff, destination: 0xab)
    #expect(apic.get(0x1a) == 0x1_afff)
    #expect(apic.get(0x1b) == 0xab00_0000)
    apic.write(offset: 0, value: 0x1b)
    #expect(apic.read(offset: 0) == 0x1b)
  }

  // MARK: - Edges

  @Test func `an edge sends one message with what the entry says`() {
    var apic = IOAPIC.programmed(4, 0x941, destination: 0x03)

    #expect(
      apic.setLine(4, isHigh: true)
        == IOAPICMessage(vector: 0x41, mode: .lowestPriority, destination: 3, isLogical: true, trigger: .edge))
    #expect(apic.setLine(4, isHigh: true) == nil)
    #expect(apic.nextMessage() == nil)
    #expect(apic.setLine(4, isHigh: false) == nil)
    #expect(apic.setLine(4, isHigh: true) != nil)
  }

  @Test func `an active-low pin sends when its line falls`() {
    var apic = IOAPIC()
    _ = apic.setLine(4, isHigh: true)
    apic.set(0x18, 0x2041)

    #expect(apic.setLine(4, isHigh: false) == fixed(0x41, .edge))
    #expect(apic.setLine(4, isHigh: true) == nil)
  }

  @Test func `an edge on a masked pin is lost`() {
    var apic = IOAPIC.programmed(4, 0x10041)
    #expect(apic.setLine(4, isHigh: true) == nil)
    apic.set(0x18, 0x41)
    #expect(apic.nextMessage() == nil)
    #expect(apic.vector(ofPin: 4) == 0x41)
    #expect(apic.vector(ofPin: 5) == nil)
  }

  // MARK: - Levels

  @Test func `a level sends once until its interrupt has ended, then again while it lasts`() {
    var apic = IOAPIC.programmed(9, 0x8051)

    #expect(apic.setLine(9, isHigh: true) == fixed(0x51, .level))
    #expect(apic.get(0x22) == 0xc051)
    #expect(apic.setLine(9, isHigh: false) == nil)
    #expect(apic.setLine(9, isHigh: true) == nil)
    #expect(apic.nextMessage() == nil)
    apic.endOfInterrupt(vector: 0x50)
    #expect(apic.nextMessage() == nil)
    apic.endOfInterrupt(vector: 0x51)
    #expect(apic.nextMessage() == fixed(0x51, .level))
    #expect(apic.nextMessage() == nil)
    _ = apic.setLine(9, isHigh: false)
    apic.endOfInterrupt(vector: 0x51)
    #expect(apic.nextMessage() == nil)
    #expect(apic.get(0x22) == 0x8051)
  }

  @Test func `the EOI register ends an interrupt like a processor's broadcast`() {
    var apic = IOAPIC.programmed(9, 0x8051)
    _ = apic.setLine(9, isHigh: true)
    apic.write(offset: 0x40, value: 0x51)
    #expect(apic.nextMessage() == fixed(0x51, .level))
  }

  @Test func `a masked level waits for its mask to go`() {
    var apic = IOAPIC.programmed(9, 0x18051)
    #expect(apic.setLine(9, isHigh: true) == nil)
    #expect(apic.nextMessage() == nil)
    apic.set(0x22, 0x8051)
    #expect(apic.nextMessage() == fixed(0x51, .level))
  }

  @Test func `masking while an interrupt is in service does not lose the level`() {
    var apic = IOAPIC.programmed(9, 0x8051)
    _ = apic.setLine(9, isHigh: true)
    apic.set(0x22, 0x18051)
    apic.endOfInterrupt(vector: 0x51)
    #expect(apic.nextMessage() == nil)
    apic.set(0x22, 0x8051)
    #expect(apic.nextMessage() == fixed(0x51, .level))
  }

  @Test func `an active-low level is asserted while its line is low`() {
    var apic = IOAPIC.programmed(9, 0xa051)
    #expect(apic.nextMessage() == fixed(0x51, .level))
    _ = apic.setLine(9, isHigh: true)
    apic.endOfInterrupt(vector: 0x51)
    #expect(apic.nextMessage() == nil)
    #expect(apic.setLine(9, isHigh: false) == fixed(0x51, .level))
  }

  @Test func `pins of one vector end and send together`() {
    var apic = IOAPIC.programmed(9, 0x8051)
    apic.set(0x10 + 2 * 11, 0x8051)
    #expect(apic.setLine(9, isHigh: true) != nil)
    #expect(apic.setLine(11, isHigh: true) != nil)
    apic.endOfInterrupt(vector: 0x51)

    #expect(apic.nextMessage() != nil)
    #expect(apic.nextMessage() != nil)
    #expect(apic.nextMessage() == nil)
  }

  @Test func `making a pin edge-triggered and back ends its level`() {
    var apic = IOAPIC.programmed(9, 0x8051)
    _ = apic.setLine(9, isHigh: true)
    apic.set(0x22, 0x10051)
    #expect(apic.get(0x22) == 0x10051)
    apic.set(0x22, 0x8051)
    #expect(apic.nextMessage() == fixed(0x51, .level))
  }

  @Test func `NMI and ExtINT are edges whatever the trigger bit says, and reserved modes send nothing`() {
    for (word, mode) in [(0x8400, .nonMaskable), (0x8700, .external)] as [(UInt32, DeliveryMode)] {
      var apic = IOAPIC.programmed(0, word)
      let message = apic.setLine(0, isHigh: true)
      #expect(message?.mode == mode)
      #expect(message?.trigger == .edge)
      #expect(apic.get(0x10) == word)
    }
    for word: UInt32 in [0x8341, 0x0641] {
      var apic = IOAPIC.programmed(0, word)
      #expect(apic.setLine(0, isHigh: true) == nil)
      #expect(apic.nextMessage() == nil)
    }
  }

  // MARK: - Hostile use

  @Test func `pins that do not exist do nothing`() {
    var apic = IOAPIC()
    for pin in [-1, 24, Int.max, Int.min] {
      #expect(apic.setLine(pin, isHigh: true) == nil)
      #expect(apic.vector(ofPin: pin) == nil)
    }
  }

  @Test func `a level reaches the processor again and again until the device is quiet`() {
    var apic = IOAPIC.programmed(9, 0x8051)
    var local = LocalAPIC.enabled()
    var message = apic.setLine(9, isHigh: true)
    for round in 1...4 {
      if let message { local.receive(message.mode, vector: message.vector, trigger: message.trigger) }
      #expect(local.take() == 0x51)
      if round == 4 { _ = apic.setLine(9, isHigh: false) }
      if let ended = local.endOfInterrupt() { apic.endOfInterrupt(vector: ended) }
      message = apic.nextMessage()
    }
    #expect(message == nil)
  }

  @Test func `random use never traps, and each call leaves at most one message for each pin`() {
    var random = SplitMix64(seed: 82093)
    for _ in 0..<fuzzRounds(300) {
      var apic = IOAPIC()
      for _ in 0..<300 {
        let value = UInt32(truncatingIfNeeded: random.next() >> (random.next() % 64))
        switch random.next() % 5 {
        case 0: _ = apic.read(offset: [0, 0x10, 0x40, value][Int(random.next() % 4)])
        case 1: apic.write(offset: [0, 0x10, 0x40, value][Int(random.next() % 4)], value: value)
        case 2: apic.set(0x10 + UInt32(random.next() % 48), value)
        case 3: _ = apic.setLine(Int(random.next() % 26) - 1, isHigh: random.next() & 1 == 0)
        default: apic.endOfInterrupt(vector: UInt8(truncatingIfNeeded: value))
        }
        var messages = 0
        while apic.nextMessage() != nil { messages += 1 }
        #expect(messages <= 24)
      }
    }
  }
}
