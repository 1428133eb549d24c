// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Machine

/// Timer modes as the local vector table has them, with vector 0xEC.
private let oneShot: UInt32 = 0xec
private let periodic: UInt32 = 0x200ec
private let tscDeadline: UInt32 = 0x400ec

extension LocalAPIC {
  /// A timer without division, started at time 0.
  fileprivate static func timing(_ entry: UInt32, count: UInt32) -> LocalAPIC {
    var apic = LocalAPIC.enabled()
    apic.set(0x3e0, 0xb)
    apic.set(0x320, entry)
    apic.set(0x380, count)
    return apic
  }
}

@Suite struct LocalAPICTimerTests {
  @Test func `the divider divides by what its three bits say`() {
    for (bits, divisor) in [
      (0, 2), (1, 4), (2, 8), (3, 16), (8, 32), (9, 64), (10, 128), (11, 1),
    ] as [(UInt32, UInt64)] {
      var apic = LocalAPIC.enabled()
      apic.set(0x3e0, bits)
      apic.set(0x320, oneShot)
      apic.set(0x380, 1000)
      #expect(apic.nextDeadline == 1000 * divisor)
      #expect(apic.get(0x390, now: 10 * divisor) == 990)
      #expect(apic.get(0x390, now: 10 * divisor - 1) == 991)
    }
  }

  @Test func `a one-shot timer fires once and stands at zero`() {
    var apic = LocalAPIC.timing(oneShot, count: 500)

    apic.advance(to: 499)
    #expect(apic.highestPending() == nil)
    #expect(apic.get(0x390, now: 499) == 1)
    apic.advance(to: 500)
    #expect(apic.take() == 0xec)
    #expect(apic.get(0x390, now: 501) == 0)
    #expect(apic.nextDeadline == nil)
    _ = apic.endOfInterrupt()
    apic.advance(to: 100_000)
    #expect(apic.highestPending() == nil)
  }

  @Test func `a periodic timer reloads by itself`() {
    var apic = LocalAPIC.timing(periodic, count: 1000)
    for tick: UInt64 in 1...5 {
      #expect(apic.nextDeadline == tick * 1000)
      apic.advance(to: tick * 1000 + 7)
      #expect(apic.take() == 0xec)
      #expect(apic.get(0x390, now: tick * 1000 + 7) == 993)
      _ = apic.endOfInterrupt()
    }
    #expect(apic.timerBacklog == 0)
  }

  @Test func `periodic ticks that pass while one waits come after its end, each of them`() {
    var apic = LocalAPIC.timing(periodic, count: 1000)
    apic.advance(to: 5500)
    #expect(apic.timerBacklog == 4)
    #expect(apic.nextDeadline == 6000)

    var taken = 0
    while apic.take() == 0xec {
      taken += 1
      _ = apic.endOfInterrupt()
    }
    #expect(taken == 5)
    #expect(apic.timerBacklog == 0)
  }

  @Test func `a tick while one is in service waits as a request, the next as backlog`() {
    var apic = LocalAPIC.timing(periodic, count: 1000)
    apic.advance(to: 1000)
    _ = apic.take()
    apic.advance(to: 2000)
    #expect(apic.timerBacklog == 0)
    apic.advance(to: 3000)
    #expect(apic.timerBacklog == 1)

    _ = apic.endOfInterrupt()
    #expect(apic.timerBacklog == 1)
    #expect(apic.take() == 0xec)
    _ = apic.endOfInterrupt()
    #expect(apic.timerBacklog == 0)
    #expect(apic.take() == 0xec)
  }

  @Test func `a timer started anew, masked or stopped owes nothing`() {
    for (offset, value) in [
      (0x380, 10), (0x380, 0), (0x320, 0x300ec), (0x320, 0xec), (0xf0, 0xff),
    ] as [(UInt32, UInt32)] {
      var apic = LocalAPIC.timing(periodic, count: 1000)
      apic.advance(to: 5000)
      apic.set(offset, value, now: 5000)
      #expect(apic.timerBacklog == 0)
    }
  }

  @Test func `a masked timer counts but interrupts nobody, then or later`() {
    var apic = LocalAPIC.timing(periodic | 0x10000, count: 1000)
    #expect(apic.nextDeadline == nil)
    #expect(apic.get(0x390, now: 1200) == 800)

    apic.set(0x320, periodic, now: 9100)
    #expect(apic.highestPending() == nil)
    #expect(apic.nextDeadline == 10_000)
  }

  @Test func `an initial count of zero stops the timer`() {
    var apic = LocalAPIC.timing(periodic, count: 1000)
    apic.set(0x380, 0, now: 10)
    #expect(apic.nextDeadline == nil)
    apic.advance(to: .max)
    #expect(apic.highestPending() == nil)
  }

  @Test func `a new divider goes on from the current count`() {
    var apic = LocalAPIC.timing(oneShot, count: 1000)
    apic.set(0x3e0, 0, now: 400)
    #expect(apic.get(0x390, now: 400) == 600)
    #expect(apic.nextDeadline == 1600)
  }

  @Test func `a TSC deadline is kept as it was written, and fires when its owner says`() throws {
    var apic = LocalAPIC.timing(tscDeadline, count: 0)
    _ = try apic.writeMSR(0x6e0, value: 123_456_789, now: 0)
    #expect(apic.tscDeadline == 123_456_789)
    #expect(apic.nextDeadline == nil)

    apic.tscDeadlineReached()
    #expect(apic.highestPending() == 0xec)
    #expect(apic.tscDeadline == nil)
    #expect(try apic.readMSR(0x6e0, now: 0) == 0)
    _ = apic.take()
    _ = apic.endOfInterrupt()
    apic.tscDeadlineReached()
    #expect(apic.highestPending() == nil)
  }

  @Test func `a TSC deadline of zero disarms, and other modes know none`() throws {
    var apic = LocalAPIC.timing(tscDeadline, count: 0)
    _ = try apic.writeMSR(0x6e0, value: 5, now: 0)
    _ = try apic.writeMSR(0x6e0, value: 0, now: 0)
    #expect(apic.tscDeadline == nil)

    apic.set(0x320, oneShot)
    _ = try apic.writeMSR(0x6e0, value: 5, now: 0)
    #expect(apic.tscDeadline == nil)
  }

  @Test func `into and out of TSC-deadline mode the timer is disarmed, in it the count does nothing`() throws {
    var apic = LocalAPIC.timing(oneShot, count: 1000)
    apic.set(0x320, tscDeadline)
    #expect(apic.nextDeadline == nil)
    apic.set(0x380, 77)
    #expect(apic.get(0x380) == 0)
    #expect(apic.get(0x390) == 0)

    _ = try apic.writeMSR(0x6e0, value: 5, now: 0)
    apic.set(0x320, oneShot)
    #expect(apic.tscDeadline == nil)
  }

  @Test func `no periodic tick is lost, however irregularly anyone looks`() {
    var random = SplitMix64(seed: 0x320)
    for _ in 0..<fuzzRounds(100) {
      let period = UInt32(random.next() % 5000 + 1)
      var apic = LocalAPIC.timing(periodic, count: period)
      var taken: UInt64 = 0
      var now: UInt64 = 0
      for _ in 0..<100 {
        now += random.next() % 20_000
        apic.advance(to: now)
        if random.next() % 2 == 0, apic.take() != nil { taken += 1 }
        if random.next() % 2 == 0 { _ = apic.endOfInterrupt() }
      }
      repeat { _ = apic.endOfInterrupt() } while apic.isServicing
      while apic.take() != nil {
        taken += 1
        _ = apic.endOfInterrupt()
      }
      #expect(taken == now / UInt64(period))
    }
  }
}
