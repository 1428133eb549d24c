// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Machine

private let apic = ScriptedGuest.localAPIC
private let period: UInt32 = 4_000_000
private let tick: UInt8 = 0xec

extension ScriptedGuest {
  fileprivate func plan() -> WakePlan? { pc.planWake() }
  fileprivate func nextInterrupt() -> UInt8? { pc.nextInterrupt() }

  /// What the guest can see of its local APIC, but for what reading changes.
  fileprivate func registers() -> [UInt64] {
    ([0x80, 0xa0] + Array(stride(from: 0x100, through: 0x280, by: 16)) + [0x320, 0x380, 0x390]).map {
      load(apic + UInt64($0))
    }
  }
}

/// Ticks that are prepared when the guest falls asleep.
struct PCSleepTests {
  @Test func `a guest that halts wakes with its timer's interrupt, when that is due`() throws {
    let guest = tickingGuest()
    let plan = try #require(guest.plan())
    #expect(plan.time == UInt64(period))
    #expect(plan.vector == tick)
    #expect(guest.seesPage)
    #expect(try guest.memory.read(ScriptedGuest.endWord, as: UInt8.self) & 1 == 1)

    // The guest wakes, handles the tick and halts again.
    guest.now = plan.time + 20_000
    try guest.endParavirtually()
    guest.rearm(period)
    guest.pc.left(tookInterrupt: true)
    guest.pc.advance(to: guest.now)
    #expect(!guest.seesPage)
    #expect(guest.nextInterrupt() == nil)
    #expect(guest.pc.nextDeadline == guest.now + UInt64(period))
    #expect(guest.plan()?.time == guest.now + UInt64(period))
  }

  @Test func `a plan that came to nothing leaves no trace`() throws {
    let (guest, twin) = (tickingGuest(), tickingGuest())
    for round in 1...20 {
      _ = try #require(guest.plan())
      guest.pc.cancelWake()
      #expect(!guest.seesPage)
      #expect(guest.pc.now == twin.pc.now)
      #expect(guest.pc.nextDeadline == twin.pc.nextDeadline)
      #expect(try guest.memory.read(ScriptedGuest.endWord, as: UInt8.self) & 1 == 0)
      for guest in [guest, twin] { guest.now = UInt64(round) * 100_000 }
      #expect(guest.registers() == twin.registers())
    }
    #expect(guest.halt() == tick)
    #expect(twin.halt() == tick)
    #expect(guest.now == twin.now)
  }

  @Test func `nothing is planned without a timer, or when another device comes first`() {
    let guest = ScriptedGuest(hasLocalAPICPage: true)
    #expect(guest.plan() == nil)

    let clocked = tickingGuest()
    clocked.pc.deadlines.clock = UInt64(period)
    #expect(clocked.plan() == nil)
    clocked.pc.deadlines.clock = UInt64(period) + 1
    #expect(clocked.plan() != nil)
  }

  @Test func `a masked timer wakes nobody, and trying to plan for it changes nothing`() {
    let guest = tickingGuest()
    guest.store(apic + 0x320, 0x1_00ec)
    let before = guest.pc.nextDeadline
    #expect(guest.plan() == nil)
    #expect(guest.pc.nextDeadline == before)
    #expect(guest.load(apic + 0x390) == UInt64(period))
  }

  @Test func `a periodic timer is planned too, and keeps its beat`() throws {
    let guest = tickingGuest()
    guest.startLocalTimer(period: period)
    for beat in 1...10 {
      let plan = try #require(guest.plan())
      #expect(plan.time == UInt64(beat) * UInt64(period))
      guest.now = plan.time + 5000
      try guest.endParavirtually()
      guest.pc.left(tookInterrupt: true)
      guest.pc.advance(to: guest.now)
      #expect(guest.nextInterrupt() == nil)
    }
  }
}
