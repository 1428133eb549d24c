// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Machine

private let apic = ScriptedGuest.localAPIC
private let period: UInt32 = 4_000_000
private let tick: UInt8 = 0xec

extension ScriptedGuest {
  /// All registers but EOI, ICR's lower half and the two counts, as the guest reads them.
  fileprivate func registers() -> [UInt64] {
    let offsets = [0x20, 0x30, 0x80, 0xa0, 0xd0, 0xe0, 0xf0] + Array(stride(from: 0x100, through: 0x280, by: 16))
    return (offsets + [0x310] + Array(stride(from: 0x320, through: 0x370, by: 16)) + [0x3e0]).map {
      load(Self.localAPIC + UInt64($0))
    }
  }

  /// Takes a tick, ends and re-arms it as Linux does, and is back after `handler` nanoseconds.
  fileprivate func idleTick(handler: UInt64) throws {
    #expect(halt() == tick)
    now += handler
    try endParavirtually()
    rearm(period)
  }
}

/// When the guest sees the page in place of its local APIC, and for how long.
struct LocalAPICPageShowTests {
  @Test func `a one-shot tick that ends silently shows the page`() {
    let guest = tickingGuest()
    #expect(!guest.seesPage)
    #expect(guest.halt() == tick)
    #expect(guest.seesPage)
  }

  @Test func `without a page, or without the paravirtual end, nothing is shown`() {
    for guest in [tickingGuest(hasPage: false), tickingGuest(endsSilently: false)] {
      #expect(guest.halt() == tick)
      #expect(!guest.seesPage)
    }
  }

  @Test func `a periodic tick shows nothing: nobody re-arms it`() {
    let guest = tickingGuest()
    guest.startLocalTimer(period: period)
    #expect(guest.halt() == tick)
    #expect(!guest.seesPage)
  }

  @Test func `another device's interrupt shows nothing, and a tick with another behind it neither`() {
    let guest = tickingGuest()
    guest.route(4, to: 0x34)
    guest.out(0x3fc, 0x0b)
    guest.out(0x3f9, 0x01)
    guest.interrupt { $0.receive(1) }
    #expect(guest.halt(until: guest.now) == 0x34)
    #expect(!guest.seesPage)

    #expect(guest.input(0x3f8) == 1)
    guest.endOfInterrupt()
    guest.now = UInt64(period)
    guest.interrupt { $0.receive(2) }
    #expect(guest.halt(until: guest.now) == tick)
    #expect(!guest.seesPage)
  }

  @Test func `the timer's vector shows nothing while the timer runs`() {
    let guest = tickingGuest()
    guest.store(apic + 0x300, 0x4_0000 | UInt32(tick))
    #expect(guest.halt(until: guest.now) == tick)
    #expect(!guest.seesPage)
  }

  @Test func `in x2APIC mode there is no page to show`() {
    let guest = tickingGuest()
    #expect(guest.writeMSR(0x1b, apic | 0xd00) == .accepted)
    #expect(guest.writeMSR(0x838, UInt64(period)) == .accepted)
    #expect(guest.halt() == tick)
    #expect(!guest.seesPage)
  }

  @Test func `registers that were moved are not shown elsewhere`() {
    let guest = tickingGuest()
    #expect(guest.writeMSR(0x1b, 0xfeed_0000 | 0x900) == .accepted)
    #expect(guest.halt() == tick)
    #expect(!guest.seesPage)
  }

  @Test func `the exit after a count hides the page`() throws {
    let guest = tickingGuest()
    #expect(guest.halt() == tick)
    _ = guest.load(apic + 0x20)
    #expect(guest.seesPage)
    try guest.endParavirtually()
    guest.rearm(period)
    guest.interrupt()
    #expect(!guest.seesPage)
    let before = guest.exits
    #expect(guest.load(apic + 0x30) == 0x0005_0014)
    #expect(guest.exits == before + 1)
  }

  @Test func `a tick that something interrupts sees the page again, until its count is found`() throws {
    let guest = tickingGuest()
    #expect(guest.halt() == tick)
    let look = guest.pc.nextDeadline
    for _ in 0..<3 {
      guest.now += 10_000
      guest.interrupt()
      #expect(guest.seesPage)
      #expect(guest.pc.nextDeadline == look)
    }
    #expect(try guest.endParavirtually())
    guest.interrupt()
    let before = guest.exits
    guest.rearm(period)
    #expect(guest.exits == before)
    guest.interrupt()
    #expect(!guest.seesPage)
    #expect(guest.pc.nextDeadline == guest.now + UInt64(period))
  }

  @Test func `while another interrupt waits for the tick's end, that is an exit; the count behind it is none`() throws {
    let guest = tickingGuest()
    guest.startSerialInterrupts(0x34)
    #expect(guest.halt() == tick)
    guest.interrupt { $0.receive(1) }
    #expect(!guest.seesPage)
    let before = guest.exits
    #expect(try !guest.endParavirtually())
    #expect(guest.seesPage)
    guest.rearm(period)
    #expect(guest.exits == before + 1)
    #expect(guest.halt(until: guest.now) == 0x34)
    #expect(guest.input(0x3f8) == 1)
    #expect(try guest.endParavirtually())
    #expect(guest.halt() == tick)
  }

  @Test func `nothing is shown while the end of a level-triggered interrupt is waited for`() throws {
    let guest = tickingGuest()
    guest.startSerialInterrupts(0xf4, isLevel: true)
    #expect(guest.halt() == tick)
    guest.interrupt { $0.receive(1) }
    #expect(guest.halt(until: guest.now) == 0xf4)
    guest.interrupt()
    #expect(!guest.seesPage)
    #expect(guest.input(0x3f8) == 1)
    guest.endOfInterrupt()
    #expect(guest.seesPage)
  }

  @Test func `a guest that starts no timer is looked at once`() throws {
    let guest = tickingGuest()
    #expect(guest.halt() == tick)
    try guest.endParavirtually()
    let before = guest.exits
    guest.compute(until: guest.now + 20_000_000)
    #expect(guest.exits == before + 1)
    guest.interrupt()
    #expect(!guest.seesPage)
  }

  @Test func `a guest that goes on computing is looked at`() throws {
    let guest = tickingGuest()
    #expect(guest.halt() == tick)
    try guest.endParavirtually()
    guest.rearm(period)
    let (before, look) = (guest.exits, guest.now + LocalAPICPageSchedule.firstLook)
    #expect(guest.pc.nextDeadline == look)
    guest.compute(until: guest.now + 2_000_000)
    #expect(guest.exits == before + 1)
    #expect(!guest.seesPage)
  }

  @Test func `a computing guest's tick is looked for when it is due, and comes with the look`() {
    var schedule = LocalAPICPageSchedule()
    var now: UInt64 = 1_000_000_000
    #expect(schedule.show(at: now) == now + LocalAPICPageSchedule.firstLook)
    now += LocalAPICPageSchedule.firstLook
    _ = schedule.hide(at: now, found: 4_000_000)

    let look = schedule.show(at: now)
    #expect(look == now + 4_000_000 + schedule.handlerTime)
    #expect(schedule.hide(at: look, found: 4_000_000) + 4_000_000 == look)
  }

  @Test func `what an idle guest stored began when it left`() {
    var schedule = LocalAPICPageSchedule()
    _ = schedule.show(at: 5_000_000)
    #expect(schedule.hide(at: 5_080_000, found: 4_000_000) == 5_080_000)
  }

  @Test func `an idle guest's tick comes with a look that is set a little after it, and never before it`() {
    var schedule = LocalAPICPageSchedule()
    var now: UInt64 = 1_000_000_000
    var shared = 0
    for round in UInt64(0)..<100 {
      let look = schedule.show(at: now)
      let left = now + 60_000 + round % 7 * 3000
      let due = schedule.hide(at: left, found: 4_000_000) + 4_000_000
      #expect(due >= left + 4_000_000)
      #expect(due - left <= 4_000_000 + 4_000_000 / LocalAPICPageSchedule.slackShare)
      if due == look { shared += 1 }
      now = due
    }
    #expect(shared > 80)
  }

  @Test func `a short timer makes looks early, a long one late again`() {
    var schedule = LocalAPICPageSchedule()
    _ = schedule.show(at: 0)
    _ = schedule.hide(at: 50_000, found: 70_000)
    #expect(schedule.patience == LocalAPICPageSchedule.earlyLook)
    _ = schedule.show(at: 1_000_000)
    _ = schedule.hide(at: 1_100_000, found: 4_000_000)
    #expect(schedule.patience > 4_000_000)
    _ = schedule.show(at: 10_000_000)
    _ = schedule.hide(at: 15_000_000, found: 10_000)
    #expect(schedule.patience == LocalAPICPageSchedule.earlyLook)
  }

  @Test func `no look is later than the last, and none is missing while nothing is stored`() {
    var schedule = LocalAPICPageSchedule()
    for wait in [.max, 10_000_000, nil, nil, nil, nil] as [UInt64?] {
      let look = schedule.show(at: 0)
      _ = schedule.hide(at: look, found: wait.map { min($0, 1 << 40) })
      #expect((LocalAPICPageSchedule.earlyLook...LocalAPICPageSchedule.lastLook).contains(schedule.patience))
    }
  }
}

/// What the guest reads and writes in the page.
struct LocalAPICPageContentTests {
  private let guest = tickingGuest()
  /// The same guest without a page.
  private let twin = tickingGuest(hasPage: false)

  init() {
    #expect(guest.halt() == tick)
    #expect(twin.halt() == tick)
  }

  @Test func `the page reads as the registers would, and reading it is no exit`() {
    let before = guest.exits
    let seen = guest.registers()
    #expect(guest.exits == before)
    #expect(seen == twin.registers())
  }

  @Test func `a page that nobody wrote to changes nothing`() throws {
    for guest in [guest, twin] {
      try guest.endParavirtually()
      guest.interrupt()
    }
    #expect(guest.registers() == twin.registers())
    guest.compute(until: guest.now + LocalAPICPageSchedule.lastLook)
    #expect(!guest.seesPage)
    #expect(guest.registers() == twin.registers())
    #expect(guest.load(apic + 0x300) == twin.load(apic + 0x300))
    #expect(guest.load(apic + 0x380) == twin.load(apic + 0x380))
    #expect(guest.pc.nextDeadline == nil)
    #expect(guest.halt(until: 1_000_000_000) == nil)
  }

  @Test func `a count starts when it is found`() throws {
    try guest.endParavirtually()
    let before = guest.exits
    guest.rearm(period)
    guest.now += 30_000
    #expect(guest.exits == before)
    guest.interrupt()
    #expect(guest.pc.nextDeadline == guest.now + UInt64(period))
    #expect(guest.load(apic + 0x380) == UInt64(period))
  }

  @Test func `the divider counts before the count does`() {
    guest.rearm(1000)
    guest.store(apic + 0x3e0, 0x3)
    guest.interrupt()
    #expect(guest.pc.nextDeadline == guest.now + 16_000)
  }

  @Test func `an end of interrupt ends it`() {
    #expect(guest.load(apic + 0x170) == 1 << 12)
    guest.endOfInterrupt()
    guest.interrupt()
    #expect(guest.load(apic + 0x170) == 0)
    #expect(guest.load(apic + 0xa0) == 0)
  }

  @Test func `a message to itself arrives`() throws {
    try guest.endParavirtually()
    guest.store(apic + 0x300, 0x4_00f1)
    #expect(guest.halt(until: guest.now) == 0xf1)
    guest.compute(until: guest.now + LocalAPICPageSchedule.lastLook)
    #expect(guest.load(apic + 0x300) == 0x4_00f1)
  }

  @Test func `a message to a destination finds that in the register's other half`() throws {
    try guest.endParavirtually()
    guest.store(apic + 0x310, 0)
    guest.store(apic + 0x300, 0xf1)
    #expect(guest.halt(until: guest.now) == 0xf1)
  }

  @Test func `a raised task priority holds the next tick back`() throws {
    try guest.endParavirtually()
    guest.store(apic + 0x80, 0xf0)
    guest.rearm(period)
    #expect(guest.halt(until: 100_000_000) == nil)
    #expect(guest.load(apic + 0x80) == 0xf0)
    guest.store(apic + 0x80, 0)
    #expect(guest.halt(until: guest.now) == tick)
  }

  @Test func `the timer's entry takes a new vector, or a mask`() throws {
    try guest.endParavirtually()
    guest.store(apic + 0x320, 0xed)
    guest.rearm(period)
    #expect(guest.halt() == 0xed)
    try guest.endParavirtually()
    guest.store(apic + 0x320, 0x1_00ed)
    guest.rearm(period)
    #expect(guest.halt(until: guest.now + 100_000_000) == nil)
  }

  @Test func `an idle guest leaves once a tick, and twice without the page`() throws {
    for (guest, exits) in [(guest, 250), (twin, 500)] {
      try guest.endParavirtually()
      guest.rearm(period)
      let before = guest.exits
      for _ in 0..<250 { try guest.idleTick(handler: 20_000) }
      #expect(guest.exits - before == exits)
    }
  }
}
