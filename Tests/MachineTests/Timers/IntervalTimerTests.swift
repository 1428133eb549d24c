// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Machine

private let rate = TickRate(frequency: IntervalTimer.frequency)

/// The first nanosecond of a tick.
private func at(_ tick: UInt64) -> UInt64 { rate.time(ofTick: tick) ?? .max }

extension IntervalTimer {
  /// Programs a channel at tick 0 with a count of two bytes: it is in the counter with tick 1.
  fileprivate static func programmed(_ channel: UInt16, mode: UInt8, count: UInt16, tick: UInt64 = 0) -> Self {
    var timer = Self()
    timer.program(channel, mode: mode, count: count, tick: tick)
    return timer
  }

  fileprivate mutating func program(_ channel: UInt16, mode: UInt8, count: UInt16, tick: UInt64) {
    write(port: 0x43, value: UInt8(channel << 6) | 0x30 | mode << 1, now: at(tick))
    write(channel, count, tick: tick)
  }

  fileprivate mutating func write(_ channel: UInt16, _ count: UInt16, tick: UInt64) {
    write(port: 0x40 + channel, value: UInt8(count & 0xff), now: at(tick))
    write(port: 0x40 + channel, value: UInt8(count >> 8), now: at(tick))
  }

  fileprivate mutating func count(_ channel: UInt16, tick: UInt64) -> UInt16 {
    let low = read(port: 0x40 + channel, now: at(tick))
    return UInt16(read(port: 0x40 + channel, now: at(tick))) << 8 | UInt16(low)
  }

  fileprivate func peek(_ channel: UInt16, tick: UInt64) -> UInt16 {
    var timer = self
    return timer.count(channel, tick: tick)
  }

  /// OUT, from the status byte.
  fileprivate func output(_ channel: UInt16, tick: UInt64) -> Bool { status(channel, tick: tick) & 0x80 != 0 }

  fileprivate func status(_ channel: UInt16, tick: UInt64) -> UInt8 {
    var timer = self
    timer.write(port: 0x43, value: 0xe0 | 2 << UInt8(channel), now: at(tick))
    return timer.read(port: 0x40 + channel, now: at(tick))
  }

  fileprivate func speakerPort(_ now: UInt64) -> UInt8 {
    var timer = self
    return timer.read(port: 0x61, now: now)
  }
}

@Suite struct IntervalTimerTests {
  @Test func `ticks and times convert exactly both ways`() {
    for tick in [0, 1, 2, 1_193_181, 1_193_182, 1_193_183, 1 << 40] as [UInt64] {
      #expect(rate.ticks(at: at(tick)) == tick)
      if tick > 0 { #expect(rate.ticks(at: at(tick) - 1) == tick - 1) }
    }
    #expect(rate.time(ofTick: .max) == nil)
  }

  // MARK: - Modes

  @Test func `mode 0 rises once, one tick after the count has run down`() {
    var timer = IntervalTimer.programmed(0, mode: 0, count: 100)

    #expect(!timer.output(0, tick: 100))
    #expect(timer.nextDeadline == at(101))
    #expect(timer.advance(to: at(101) - 1) == 0)
    #expect(timer.advance(to: at(101)) == 1)
    #expect(timer.output(0, tick: 101))
    #expect(timer.nextDeadline == nil)
    #expect(timer.count(0, tick: 102) == 0xffff)
    #expect(timer.advance(to: at(1_000_000)) == 0)
  }

  @Test func `in mode 0 the first byte of a count of two stops counting`() {
    var timer = IntervalTimer.programmed(0, mode: 0, count: 100)
    timer.write(port: 0x40, value: 50, now: at(10))

    #expect(timer.nextDeadline == nil)
    #expect(timer.advance(to: at(1000)) == 0)
    timer.write(port: 0x40, value: 0, now: at(1000))
    #expect(timer.nextDeadline == at(1051))
  }

  @Test func `the gate holds mode 0 and lets it go on`() {
    var timer = IntervalTimer()
    timer.write(port: 0x61, value: 1, now: 0)
    timer.program(2, mode: 0, count: 100, tick: 0)
    timer.write(port: 0x61, value: 0, now: at(41))

    #expect(timer.count(2, tick: 500) == 60)
    timer.write(port: 0x61, value: 1, now: at(500))
    #expect(timer.speakerPort(at(559)) & 0x20 == 0)
    #expect(timer.speakerPort(at(560)) & 0x20 != 0)
  }

  @Test func `mode 1 is a one-shot that the gate starts and starts again`() {
    var timer = IntervalTimer.programmed(2, mode: 1, count: 10)
    #expect(timer.output(2, tick: 5))

    timer.write(port: 0x61, value: 1, now: at(20))
    #expect(!timer.output(2, tick: 21))
    timer.write(port: 0x61, value: 0, now: at(22))
    timer.write(port: 0x61, value: 1, now: at(25))
    #expect(!timer.output(2, tick: 35))
    #expect(timer.output(2, tick: 36))
  }

  @Test func `channel 0 never fires in the modes that wait for a gate, as its gate is tied high`() {
    for mode in [UInt8(1), 5] {
      var timer = IntervalTimer.programmed(0, mode: mode, count: 10)
      #expect(timer.nextDeadline == nil)
      #expect(timer.advance(to: at(100_000)) == 0)
    }
  }

  @Test func `mode 2 is low for one tick of its period and rises with the next`() {
    var timer = IntervalTimer.programmed(0, mode: 2, count: 10)

    #expect(timer.output(0, tick: 9))
    #expect(!timer.output(0, tick: 10))
    #expect(timer.output(0, tick: 11))
    #expect(timer.count(0, tick: 1) == 10)
    #expect(timer.count(0, tick: 10) == 1)
    #expect(timer.count(0, tick: 11) == 10)
    #expect(timer.nextDeadline == at(11))
  }

  @Test func `no tick of mode 2 is lost, however much time passes`() {
    var timer = IntervalTimer.programmed(0, mode: 2, count: 11932)

    #expect(timer.advance(to: at(1 + 11932 * 5 + 7)) == 5)
    #expect(timer.nextDeadline == at(1 + 11932 * 6))
    #expect(timer.advance(to: at(1 + 11932 * 1_000_000)) == 999_995)
  }

  @Test func `a count written in mode 2 takes effect at the period's end`() {
    var timer = IntervalTimer.programmed(0, mode: 2, count: 100)
    timer.write(0, 30, tick: 50)

    #expect(timer.status(0, tick: 60) & 0x40 != 0)
    #expect(timer.nextDeadline == at(101))
    #expect(timer.advance(to: at(101)) == 1)
    #expect(timer.nextDeadline == at(131))
    #expect(timer.status(0, tick: 102) & 0x40 == 0)
    #expect(timer.advance(to: at(161)) == 2)
  }

  @Test func `the gate restarts mode 2, and its fall raises the output`() {
    var timer = IntervalTimer()
    timer.write(port: 0x61, value: 1, now: 0)
    timer.program(2, mode: 2, count: 10, tick: 0)
    timer.write(port: 0x61, value: 0, now: at(10))

    #expect(timer.output(2, tick: 10))
    timer.write(port: 0x61, value: 1, now: at(50))
    #expect(!timer.output(2, tick: 60))
    #expect(timer.output(2, tick: 61))
  }

  @Test func `mode 3 is a square wave that counts by twos`() {
    var timer = IntervalTimer.programmed(0, mode: 3, count: 8)

    #expect((1...8).map { timer.output(0, tick: $0) } == [true, true, true, true, false, false, false, false])
    #expect((1...8).map { timer.peek(0, tick: $0) } == [8, 6, 4, 2, 8, 6, 4, 2])
    #expect(timer.nextDeadline == at(9))
    #expect(timer.advance(to: at(8 * 100 + 1)) == 100)
  }

  @Test func `an odd square wave is high for one tick more`() {
    var timer = IntervalTimer.programmed(0, mode: 3, count: 5)

    #expect((1...5).map { timer.output(0, tick: $0) } == [true, true, true, false, false])
    #expect((1...5).map { timer.peek(0, tick: $0) } == [4, 2, 0, 4, 2])
    #expect(timer.advance(to: at(11)) == 2)
  }

  @Test func `a count written in mode 3 takes effect at the end of the half wave`() {
    var timer = IntervalTimer.programmed(0, mode: 3, count: 100)
    timer.write(0, 20, tick: 10)

    // Low from tick 51 on, for half of the new period.
    #expect(timer.nextDeadline == at(61))
    #expect(timer.advance(to: at(60)) == 0)
    #expect(!timer.output(0, tick: 60))
    #expect(timer.advance(to: at(81)) == 2)
  }

  @Test func `mode 4 strobes low for one tick and rises after it`() {
    var timer = IntervalTimer.programmed(0, mode: 4, count: 10)

    #expect(timer.output(0, tick: 10))
    #expect(!timer.output(0, tick: 11))
    #expect(timer.nextDeadline == at(12))
    #expect(timer.advance(to: at(100_000)) == 1)
    #expect(timer.nextDeadline == nil)
  }

  @Test func `mode 5 strobes after a trigger`() {
    var timer = IntervalTimer.programmed(2, mode: 5, count: 10)
    #expect(timer.output(2, tick: 11))

    timer.write(port: 0x61, value: 1, now: at(20))
    #expect(!timer.output(2, tick: 31))
    #expect(timer.output(2, tick: 32))
  }

  @Test func `a control word that raises the output is an edge`() {
    var timer = IntervalTimer.programmed(0, mode: 0, count: 0)
    timer.write(port: 0x43, value: 0x34, now: at(10))

    #expect(timer.advance(to: at(10)) == 1)
    timer.write(port: 0x43, value: 0x34, now: at(20))
    #expect(timer.advance(to: at(20)) == 0)
  }

  @Test func `a count of zero is the largest, and one counts as two where it is not allowed`() {
    var timer = IntervalTimer.programmed(0, mode: 2, count: 0)
    #expect(timer.nextDeadline == at(65537))
    #expect(timer.count(0, tick: 1) == 0)

    timer = IntervalTimer.programmed(0, mode: 3, count: 1)
    #expect(timer.nextDeadline == at(3))
  }

  @Test func `decimal counts are read and written in decimal`() {
    var timer = IntervalTimer()
    timer.write(port: 0x43, value: 0x35, now: 0)
    timer.write(0, 0x1000, tick: 0)

    #expect(timer.nextDeadline == at(1001))
    #expect(timer.count(0, tick: 2) == 0x0999)
    timer.write(port: 0x43, value: 0x31, now: at(10))
    timer.write(0, 0, tick: 10)
    #expect(timer.nextDeadline == at(10_011))
    // What is no decimal number still counts.
    timer.write(0, 0xffff, tick: 20)
    #expect(timer.nextDeadline == at(21 + 6665))
  }

  // MARK: - The bus

  @Test func `one-byte access sets the other byte to zero`() {
    var timer = IntervalTimer()
    timer.write(port: 0x43, value: 0x14, now: 0)
    timer.write(port: 0x40, value: 0x80, now: 0)
    #expect(timer.nextDeadline == at(0x81))
    #expect(timer.read(port: 0x40, now: at(2)) == 0x7f)
    #expect(timer.read(port: 0x40, now: at(3)) == 0x7e)

    timer.write(port: 0x43, value: 0x24, now: at(5))
    timer.write(port: 0x40, value: 0x80, now: at(5))
    #expect(timer.nextDeadline == at(0x8006))
    #expect(timer.read(port: 0x40, now: at(7)) == 0x7f)
  }

  @Test func `a latched count holds until both its bytes are read, and a second latch changes nothing`() {
    var timer = IntervalTimer.programmed(0, mode: 2, count: 0x1234)
    timer.write(port: 0x43, value: 0x00, now: at(5))
    timer.write(port: 0x43, value: 0x00, now: at(50))

    #expect(timer.count(0, tick: 200) == 0x1230)
    #expect(timer.count(0, tick: 201) == 0x1234 - 200)
  }

  @Test func `read-back latches status and counts of the channels it names, status first`() {
    var timer = IntervalTimer.programmed(0, mode: 3, count: 0x100)
    timer.program(2, mode: 0, count: 0x55, tick: 0)
    timer.write(port: 0x43, value: 0xc0 | 0x0a, now: at(1))

    #expect(timer.read(port: 0x40, now: at(9)) == 0xb6)
    #expect(timer.count(0, tick: 9) == 0x100)
    #expect(timer.read(port: 0x42, now: at(9)) == 0x30)
    #expect(timer.count(2, tick: 9) == 0x55)
  }

  @Test func `null count is set until the count is loaded`() {
    var timer = IntervalTimer()
    timer.write(port: 0x43, value: 0x34, now: 0)
    #expect(timer.status(0, tick: 0) == 0xf4)
    timer.write(0, 10, tick: 5)
    #expect(timer.status(0, tick: 5) == 0xf4)
    #expect(timer.status(0, tick: 6) == 0xb4)
  }

  @Test func `modes 6 and 7 are modes 2 and 3`() {
    var timer = IntervalTimer.programmed(0, mode: 6, count: 10)
    #expect(timer.status(0, tick: 1) & 0x0e == 0x04)
    timer = IntervalTimer.programmed(0, mode: 7, count: 10)
    #expect(timer.status(0, tick: 1) & 0x0e == 0x06)
  }

  @Test func `port 0x61 keeps four bits, shows channel 2 and toggles the refresh bit`() {
    var timer = IntervalTimer()
    timer.write(port: 0x61, value: 0xff, now: 0)

    #expect(timer.speakerPort(0) & 0xcf == 0x0f)
    #expect(timer.speakerPort(15_085) & 0x10 == 0)
    #expect(timer.speakerPort(15_086) & 0x10 != 0)
    #expect(timer.speakerPort(30_172) & 0x10 == 0)
  }

  @Test func `calibration by channel 2 as Linux does it takes the time it should`() {
    var timer = IntervalTimer()
    timer.write(port: 0x61, value: 1, now: 0)
    timer.write(port: 0x43, value: 0xb0, now: 0)
    timer.write(2, 11932, tick: 0)

    #expect(timer.speakerPort(10_000_000) & 0x20 == 0)
    #expect(timer.speakerPort(10_002_000) & 0x20 != 0)
  }

  // MARK: - Hostile use

  @Test func `the edges of channel 0 do not depend on how often anyone looks`() {
    var random = SplitMix64(seed: 8254)
    for _ in 0..<fuzzRounds(60) {
      var eager = IntervalTimer()
      var lazy = IntervalTimer()
      var seen: (eager: UInt64, lazy: UInt64) = (0, 0)
      var now: UInt64 = 0
      for _ in 0..<50 {
        for _ in 0..<Int(random.next() % 4) {
          now &+= random.next() % 100_000
          seen.eager += eager.advance(to: now)
        }
        if let deadline = eager.nextDeadline, deadline < now + 10_000_000 {
          #expect(deadline > now)
          #expect(eager.advance(to: deadline - 1) == 0)
          #expect(eager.advance(to: deadline) == 1)
          seen.eager += 1
          now = deadline
        }
        let port: UInt16 = random.next() % 4 == 0 ? 0x43 : 0x40
        let value = UInt8(truncatingIfNeeded: random.next()) & (port == 0x43 ? 0x3f : 0xff)
        eager.write(port: port, value: value, now: now)
        lazy.write(port: port, value: value, now: now)
        seen.eager += eager.advance(to: now)
      }
      seen.eager += eager.advance(to: now)
      seen.lazy += lazy.advance(to: now)
      #expect(seen.eager == seen.lazy)
    }
  }

  @Test func `random use never traps, and the next deadline is never in the past`() {
    var random = SplitMix64(seed: 0x61)
    let ports: [UInt16] = [0x40, 0x41, 0x42, 0x43, 0x61]
    for _ in 0..<fuzzRounds(500) {
      var timer = IntervalTimer()
      var now: UInt64 = 0
      for _ in 0..<300 {
        now = random.later(than: now)
        let port = ports[Int(random.next() % 5)]
        switch random.next() % 3 {
        case 0: _ = timer.read(port: port, now: now)
        case 1: timer.write(port: port, value: UInt8(truncatingIfNeeded: random.next()), now: now)
        default:
          _ = timer.advance(to: now)
          if let deadline = timer.nextDeadline { #expect(deadline > now) }
        }
      }
    }
  }
}
