// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Machine

struct PCTickTests {
  private let guest = ScriptedGuest()
  private static let second: UInt64 = 1_000_000_000

  @Test func `with the 8259s alone a guest gets the ticks it programmed, 250 in a second`() {
    guest.startControllers(unmasked: 1)
    guest.startTimer(hertz: 250)
    while guest.halt(until: Self.second) == 0x30 { guest.out(0x20, 0x60) }
    #expect((249...250).contains(guest.taken.count))
  }

  @Test func `through the I/O APIC the tick is on pin 2`() {
    guest.startControllers()
    guest.startLocalAPIC()
    guest.route(2, to: 0x31)
    guest.startTimer(hertz: 250)
    while guest.halt(until: Self.second) == 0x31 { guest.endOfInterrupt() }
    #expect((249...250).contains(guest.taken.count))
  }

  @Test func `ticks that pass while the guest is away come one by one, none is lost`() {
    guest.startLocalAPIC()
    guest.route(2, to: 0x31)
    guest.startTimer(hertz: 100)
    guest.now = Self.second / 2
    while guest.halt(until: Self.second / 2) == 0x31 { guest.endOfInterrupt() }
    #expect((49...50).contains(guest.taken.count))
  }

  @Test func `a tick that is masked everywhere wakes nobody, and owes nothing when it is unmasked`() {
    guest.startControllers()
    guest.startLocalAPIC()
    guest.startTimer(hertz: 1000)
    #expect(guest.pc.nextDeadline == nil)

    guest.now = Self.second
    guest.route(2, to: 0x31)
    #expect(guest.taken.isEmpty)
    #expect(guest.halt() == 0x31)
    #expect(guest.now > Self.second && guest.now < Self.second + 2_000_000)
    guest.endOfInterrupt()
    guest.mask(2)
    #expect(guest.pc.nextDeadline == nil)
  }

  /// Linux on the 8259s alone masks IRQ 0 while it handles it, and starts the next tick of one-shot mode in between.
  @Test func `a tick that comes while the 8259 masks it waits there`() {
    guest.startControllers(unmasked: 1)
    guest.out(0x43, 0x38)
    startShot(ticks: 1000)
    for _ in 0..<50 {
      #expect(guest.halt(until: Self.second) == 0x30)
      guest.out(0x21, 0xff)
      guest.out(0x20, 0x60)
      startShot(ticks: 20)
      guest.compute(until: guest.now + 50_000)
      guest.out(0x21, 0xfe)
    }
    #expect(guest.halt(until: Self.second) == 0x30)
    #expect(guest.halt(until: Self.second) == nil)
  }

  @Test func `ticks that pass behind a mask are one, and can be seen in the request register`() {
    guest.startControllers()
    guest.startTimer(hertz: 1000)
    #expect(guest.pc.nextDeadline == nil)
    guest.out(0x20, 0x0a)
    #expect(guest.input(0x20) & 1 == 0)
    guest.now = Self.second / 2
    #expect(guest.input(0x20) & 1 == 1)

    guest.out(0x21, 0xfe)
    #expect(guest.halt(until: guest.now) == 0x30)
    guest.out(0x20, 0x60)
    #expect(guest.halt(until: guest.now) == nil)
  }

  @Test func `ICW1 forgets the tick that came before it`() {
    guest.startControllers()
    guest.startTimer(hertz: 10)
    guest.now = Self.second * 15 / 100
    guest.startControllers(unmasked: 1)
    #expect(guest.halt(until: guest.now) == nil)
    #expect(guest.halt(until: Self.second) == 0x30)
  }

  @Test func `a tick waits at the 8259 while LINT0 is masked`() {
    guest.startControllers(unmasked: 1)
    guest.startLocalAPIC()
    guest.out(0x43, 0x38)
    startShot(ticks: 1000)
    guest.now = Self.second
    #expect(guest.halt(until: guest.now) == nil)
    guest.store(ScriptedGuest.localAPIC + 0x350, 0x700)
    #expect(guest.halt(until: guest.now) == 0x30)
  }

  @Test func `ticks that a guest missed come although it masks each while it handles it`() {
    guest.startControllers(unmasked: 1)
    guest.startTimer(hertz: 100)
    guest.now = Self.second / 2
    while guest.halt(until: Self.second / 2) == 0x30 {
      guest.out(0x21, 0xff)
      guest.out(0x20, 0x60)
      guest.out(0x21, 0xfe)
    }
    #expect((49...50).contains(guest.taken.count))
  }

  /// A count of channel 0, which is in mode 4.
  private func startShot(ticks: UInt32) {
    guest.out(0x40, ticks & 0xff)
    guest.out(0x40, ticks >> 8)
  }

  @Test func `an idle guest with a periodic local timer and paravirtual ends leaves once a tick`() throws {
    guest.startControllers()
    guest.startLocalAPIC()
    #expect(guest.startParavirtualEOI() == .accepted)
    guest.startLocalTimer(period: 4_000_000)
    let before = guest.exits

    for _ in 0..<250 {
      #expect(guest.halt() == 0xec)
      #expect(try guest.endParavirtually())
    }
    #expect(guest.exits - before == 250)
    #expect(guest.now == Self.second)
  }

  @Test func `ticks of the local timer that a busy guest missed are delivered with ends that exit`() throws {
    guest.startLocalAPIC()
    #expect(guest.startParavirtualEOI() == .accepted)
    guest.startLocalTimer(period: 4_000_000)
    guest.now = 40_000_000
    while guest.halt(until: 40_000_000) == 0xec { try guest.endParavirtually() }
    #expect(guest.taken.count == 10)
  }

  @Test func `a TSC deadline comes when the guest's counter is there`() {
    guest.startLocalAPIC()
    guest.store(ScriptedGuest.localAPIC + 0x320, 0xec | 2 << 17)
    guest.now = 1000
    #expect(guest.writeMSR(0x6e0, 2_000_000_000) == .accepted)
    #expect(guest.readMSR(0x6e0) == .value(2_000_000_000))
    #expect(guest.halt() == 0xec)
    #expect(guest.now == Self.second)
    #expect(guest.readMSR(0x6e0) == .value(0))
  }

  @Test func `a TSC deadline follows the counter when the guest moves it, and 0 takes it back`() {
    guest.startLocalAPIC()
    guest.store(ScriptedGuest.localAPIC + 0x320, 0xec | 2 << 17)
    #expect(guest.writeMSR(0x6e0, 2_000_000_000) == .accepted)
    #expect(guest.writeMSR(0x10, 1_000_000_000) == .accepted)
    #expect(guest.pc.nextDeadline == Self.second / 2)
    #expect(guest.writeMSR(0x6e0, 0) == .accepted)
    #expect(guest.pc.nextDeadline == nil)
  }
}

struct PCInterruptTests {
  private let guest = ScriptedGuest()

  init() {
    guest.startControllers()
    guest.startLocalAPIC()
    _ = guest.startParavirtualEOI()
  }

  @Test func `a typed character interrupts at IRQ 4 until it is read`() {
    guest.route(4, to: 0x34)
    guest.out(0x3fc, 0x0b)
    guest.out(0x3f9, 0x01)
    guest.interrupt { $0.receive(0x61) }
    #expect(guest.pc.receiveSpace == 0)
    #expect(guest.halt() == 0x34)
    #expect(guest.input(0x3fa) & 0x0f == 0x04)
    #expect(guest.input(0x3f8) == 0x61)
    #expect(guest.pc.receiveSpace == 1)
    guest.endOfInterrupt()
    #expect(guest.halt(until: 1_000_000) == nil)
  }

  @Test func `the console's room is the guest's transmitter`() {
    guest.route(4, to: 0x34)
    #expect(guest.out(0x3f8, 0x41) == .transmit(0x41))
    guest.interrupt { $0.canTransmit = false }
    #expect(guest.input(0x3fd) == 0)
    guest.out(0x3fc, 0x0b)
    guest.out(0x3f9, 0x02)
    #expect(guest.halt(until: 1_000_000) == nil)
    guest.interrupt { $0.canTransmit = true }
    #expect(guest.halt() == 0x34)
    #expect(guest.input(0x3fd) == 0x60)
  }

  @Test func `the power button interrupts at level-triggered IRQ 9 until the guest has cleared it`() {
    guest.route(9, to: 0x39, level: true)
    guest.out(0x602, 0x0100, width: 2)
    guest.interrupt { $0.pressPowerButton() }
    #expect(guest.halt() == 0x39)
    guest.endOfInterrupt()
    #expect(guest.halt() == 0x39)
    #expect(guest.input(0x600, width: 2) == 0x0100)
    guest.out(0x600, 0x0100, width: 2)
    guest.endOfInterrupt()
    #expect(guest.halt(until: guest.now + 1_000_000) == nil)
  }

  @Test func `the clock's update interrupts at IRQ 8 until its cause is read`() {
    guest.route(8, to: 0x38)
    guest.out(0x70, 0x0b)
    guest.out(0x71, 0x12)
    #expect(guest.halt() == 0x38)
    #expect(guest.now <= 1_000_000_000)
    guest.endOfInterrupt()
    guest.out(0x70, 0x0c)
    #expect(guest.input(0x71) & 0x90 == 0x90)
    #expect(guest.halt() == 0x38)
  }

  @Test func `a level-triggered interrupt is ended at the APIC: the I/O APIC has to hear of it`() throws {
    guest.route(9, to: 0x39, level: true)
    guest.out(0x602, 0x0100, width: 2)
    guest.interrupt { $0.pressPowerButton() }
    #expect(guest.halt() == 0x39)
    #expect(try !guest.endParavirtually())
  }

  @Test func `with a second interrupt waiting the first one's end is an exit`() throws {
    guest.route(4, to: 0x34)
    guest.out(0x3fc, 0x0b)
    guest.out(0x3f9, 0x01)
    guest.startLocalTimer(period: 4_000_000)
    guest.now = 4_000_000
    guest.interrupt { $0.receive(1) }
    #expect(guest.halt() == 0xec)
    #expect(try !guest.endParavirtually())
    #expect(guest.halt(until: 4_000_000) == 0x34)
    #expect(try guest.endParavirtually())
  }

  @Test func `an interrupt that comes while the guest handles another takes the silent end back`() throws {
    guest.route(4, to: 0x34)
    guest.out(0x3fc, 0x0b)
    guest.out(0x3f9, 0x01)
    guest.startLocalTimer(period: 4_000_000)
    #expect(guest.halt() == 0xec)
    #expect(try guest.memory.read(ScriptedGuest.endWord, as: UInt8.self) == 1)
    guest.interrupt { $0.receive(1) }
    #expect(try !guest.endParavirtually())
    #expect(guest.halt(until: guest.now) == 0x34)
  }

  @Test func `a silent end is seen at the next exit`() throws {
    guest.startLocalTimer(period: 4_000_000)
    #expect(guest.halt() == 0xec)
    #expect(guest.load(ScriptedGuest.localAPIC + 0x170) == 1 << 12)
    #expect(try guest.endParavirtually())
    #expect(guest.load(ScriptedGuest.localAPIC + 0x170) == 0)
  }

  @Test func `what is offered and not taken may be replaced by something more urgent`() {
    guest.route(4, to: 0x34)
    guest.out(0x3fc, 0x0b)
    guest.out(0x3f9, 0x01)
    guest.startLocalTimer(period: 4_000_000)
    guest.interrupt { $0.receive(1) }
    #expect(guest.taken.isEmpty)
    guest.now = 4_000_000
    #expect(guest.halt(until: guest.now) == 0xec)
    guest.endOfInterrupt()
    #expect(guest.halt(until: guest.now) == 0x34)
  }

  @Test func `the task priority holds back what is not above it`() {
    guest.startLocalTimer(period: 4_000_000)
    guest.interrupt { $0.taskPriority = 0xe }
    guest.now = 4_000_000
    #expect(guest.halt(until: guest.now) == nil)
    guest.interrupt { $0.taskPriority = 0 }
    #expect(guest.halt(until: guest.now) == 0xec)
  }
}
