// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Machine

private let apic = ScriptedGuest.localAPIC
private let period: UInt32 = 4_000_000
private let tick: UInt8 = 0xec

struct LocalAPICPageFuzzTests {
  /// What a guest does in a tick's handler, in any order, while its serial port receives.
  fileprivate enum Step { case end, rearm, receive, leave, wait }

  @Test func `whatever meets in a tick, a guest takes the same interrupts with the page as without`() throws {
    var random = SplitMix64(seed: 0x71c)
    for _ in 0..<fuzzRounds(40) {
      let guests = [tickingGuest(), tickingGuest(hasPage: false)]
      let vector: UInt32 = random.next() % 2 == 0 ? 0x34 : 0xf4
      for guest in guests { guest.startSerialInterrupts(vector) }
      for _ in 0..<20 {
        for guest in guests { #expect(guest.halt() == tick) }
        var steps: [Step] = (0..<random.next() % 4).map { _ in [.receive, .leave, .wait][Int(random.next() % 3)] }
        for step in [Step.end, .rearm] { steps.insert(step, at: Int(random.next() % UInt64(steps.count + 1))) }
        let time = random.next() % 100_000
        for guest in guests { try guest.carryOut(steps, time) }
        #expect(guests[0].taken == guests[1].taken, "\(steps)")
        let now = max(guests[0].now, guests[1].now)
        for guest in guests { guest.now = now }
      }
    }
  }

  @Test func `nothing that a guest writes into the page traps`() throws {
    var random = SplitMix64(seed: 11)
    for _ in 0..<fuzzRounds(300) {
      let guest = tickingGuest()
      for _ in 0..<8 {
        guard guest.halt(until: guest.now + 10_000_000) != nil else { break }
        for _ in 0..<random.next() % 12 {
          let offset = random.next() % 4 == 0 ? random.next() % 1024 * 4 : random.next() % 0x40 * 16
          guest.store(apic + offset, UInt32(truncatingIfNeeded: random.next() >> (random.next() % 64)))
        }
        if random.next() % 2 == 0 { try guest.endParavirtually() }
        guest.now += random.next() % 2_000_000
        guest.interrupt()
        #expect(!guest.seesPage || guest.pc.nextDeadline != nil)
        // A timer of some nanoseconds is looked at each time it comes: not for long.
        _ = guest.halt(until: guest.now + 5000)
        guest.now += UInt64(period)
        guest.interrupt()
        guest.rearm(period)
      }
      guest.now = .max / 2
      guest.interrupt()
    }
  }
}

extension ScriptedGuest {
  /// Does all that, then takes what waits.
  fileprivate func carryOut(_ steps: [LocalAPICPageFuzzTests.Step], _ time: UInt64) throws {
    for step in steps {
      switch step {
      case .end: try endParavirtually()
      case .rearm: rearm(period)
      case .receive: interrupt { $0.receive(1) }
      case .leave: interrupt()
      case .wait: now += time
      }
    }
    while let vector = halt(until: now) {
      #expect(vector != tick)
      _ = input(0x3f8)
      try endParavirtually()
    }
  }
}
