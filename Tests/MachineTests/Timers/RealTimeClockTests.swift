// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Machine

private let second: UInt64 = 1_000_000_000
/// 2024-02-28 23:59:58, a Wednesday before a leap day.
private let leapEve: UInt64 = 1_709_164_798

extension RealTimeClock {
  fileprivate init(at unixTime: UInt64) { self.init(unixTime: unixTime, lowMemory: 128 << 20) }

  fileprivate mutating func get(_ index: UInt8, now: UInt64 = 0) -> UInt8 {
    write(port: 0x70, value: index, now: now)
    return read(port: 0x71, now: now)
  }

  fileprivate mutating func set(_ index: UInt8, _ value: UInt8, now: UInt64 = 0) {
    write(port: 0x70, value: index, now: now)
    write(port: 0x71, value: value, now: now)
  }

  /// Century, year, month, day, hour, minute, second.
  fileprivate mutating func time(now: UInt64 = 0) -> [UInt8] {
    [0x32, 9, 8, 7, 4, 2, 0].map { get($0, now: now) }
  }
}

@Suite struct RealTimeClockTests {
  // MARK: - Time

  @Test func `the time is the one handed in plus what has passed, in decimal and 24 hours`() {
    var clock = RealTimeClock(at: leapEve)

    #expect(clock.time() == [0x20, 0x24, 0x02, 0x28, 0x23, 0x59, 0x58])
    #expect(clock.time(now: second - 1) == [0x20, 0x24, 0x02, 0x28, 0x23, 0x59, 0x58])
    #expect(clock.time(now: 2 * second) == [0x20, 0x24, 0x02, 0x29, 0x00, 0x00, 0x00])
    #expect(clock.get(6, now: 2 * second) == 5)
  }

  @Test func `binary and 12 hours are other ways to say the same`() {
    var clock = RealTimeClock(at: leapEve)
    clock.set(0x0b, 0x06)
    #expect(clock.time() == [20, 24, 2, 28, 23, 59, 58])
    clock.set(0x0b, 0x04)
    #expect(clock.get(4) == 0x8b)
    clock.set(0x0b, 0x00)
    #expect(clock.get(4) == 0x91)
    #expect(clock.get(4, now: 3 * second) == 0x12)
    #expect(clock.get(4, now: 13 * 3600 * second) == 0x92)
  }

  @Test func `the calendar agrees with the host's for four centuries`() {
    var random = SplitMix64(seed: 1970)
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .gmt
    for _ in 0..<2000 {
      let seconds = Int64(random.next() % 12_622_780_800)
      let time = CalendarTime(seconds: seconds)
      let fields = calendar.dateComponents(
        [.year, .month, .day, .hour, .minute, .second, .weekday], from: Date(timeIntervalSince1970: Double(seconds)))
      #expect(fields.year == Int(time.year))
      #expect(fields.month == Int(time.month))
      #expect(fields.day == Int(time.day))
      #expect(fields.hour == Int(time.hour))
      #expect(fields.minute == Int(time.minute))
      #expect(fields.second == Int(time.second))
      #expect(fields.weekday == Int(time.weekday))
      #expect(time.seconds == seconds)
    }
    #expect(CalendarTime(seconds: -1).year == 1969)
    #expect(CalendarTime(seconds: -1).seconds == -1)
  }

  @Test func `update in progress is set for 244 microseconds, and while it is clear the time stands`() {
    var clock = RealTimeClock(at: leapEve)

    #expect(clock.get(0x0a, now: second - 244_001) == 0x26)
    #expect(clock.get(0x0a, now: second - 244_000) == 0xa6)
    #expect(clock.get(0, now: second - 1) == 0x58)
    #expect(clock.get(0x0a, now: second) == 0x26)
    #expect(clock.get(0, now: second) == 0x59)
  }

  @Test func `a clock set as Linux sets it begins its second half a second later`() {
    var clock = RealTimeClock(at: leapEve)
    let now = 10 * second + 700_000_000
    clock.set(0x0b, 0x82, now: now)
    clock.set(0x0a, 0x76, now: now)
    for (index, value) in [(9, 0x99), (8, 0x12), (7, 0x31), (4, 0x23), (2, 0x59), (0, 0x59), (0x32, 0x19)] {
      clock.set(UInt8(index), UInt8(value), now: now)
    }
    #expect(clock.get(0, now: now + 5 * second) == 0x59)
    clock.set(0x0b, 0x02, now: now + 5 * second)
    #expect(clock.get(0, now: now + 7 * second) == 0x59)
    clock.set(0x0a, 0x26, now: now + 8 * second)

    let start = now + 8 * second
    #expect(clock.time(now: start + second / 2 - 1) == [0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59])
    #expect(clock.time(now: start + second / 2) == [0x20, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00])
  }

  @Test func `letting go of SET alone keeps the beginning of the second`() {
    var clock = RealTimeClock(at: leapEve)
    clock.set(0x0b, 0x82, now: second / 4)
    clock.set(0, 0x10, now: second / 4)
    clock.set(0x0b, 0x02, now: 5 * second + second / 4)

    #expect(clock.get(0, now: 6 * second - 1) == 0x10)
    #expect(clock.get(0, now: 6 * second) == 0x11)
  }

  @Test func `a field written while the clock runs changes only that field`() {
    var clock = RealTimeClock(at: leapEve)
    clock.set(4, 0x12, now: second)

    #expect(clock.time(now: second) == [0x20, 0x24, 0x02, 0x28, 0x12, 0x59, 0x59])
    #expect(clock.time(now: 2 * second) == [0x20, 0x24, 0x02, 0x28, 0x13, 0x00, 0x00])
  }

  // MARK: - Interrupts

  @Test func `the update-ended interrupt comes with each second and register C takes it back`() {
    var clock = RealTimeClock(at: leapEve)
    #expect(clock.nextDeadline == nil)
    clock.set(0x0b, 0x12)

    #expect(clock.nextDeadline == second)
    clock.advance(to: second)
    #expect(clock.interruptLine)
    #expect(clock.nextDeadline == nil)
    #expect(clock.get(0x0c, now: second) == 0xd0)
    #expect(!clock.interruptLine)
    #expect(clock.get(0x0c, now: second) == 0)
    #expect(clock.nextDeadline == 2 * second)
  }

  @Test func `flags are set without their enables, which then raise the line`() {
    var clock = RealTimeClock(at: leapEve)
    clock.advance(to: second)
    #expect(!clock.interruptLine)
    clock.set(0x0b, 0x12, now: second)
    #expect(clock.interruptLine)
  }

  @Test func `the alarm rings at its time of day`() {
    var clock = RealTimeClock(at: leapEve)
    for (index, value) in [(5, 0x00), (3, 0x00), (1, 0x03)] { clock.set(UInt8(index), UInt8(value)) }
    clock.set(0x0b, 0x22)

    #expect(clock.nextDeadline == 5 * second)
    clock.advance(to: 5 * second - 1)
    #expect(!clock.interruptLine)
    clock.advance(to: 5 * second)
    #expect(clock.interruptLine)
    let causes = clock.get(0x0c, now: 5 * second)
    #expect(causes & 0xa0 == 0xa0)
    #expect(clock.nextDeadline == (5 + 86_400) * second)
  }

  @Test func `alarm fields from 0xC0 on match always`() {
    var clock = RealTimeClock(at: leapEve)
    for (index, value) in [(5, 0xff), (3, 0xc0), (1, 0x10)] { clock.set(UInt8(index), UInt8(value)) }
    clock.set(0x0b, 0x22)
    #expect(clock.nextDeadline == 12 * second)

    clock.set(1, 0xff)
    #expect(clock.nextDeadline == second)
  }

  @Test func `an alarm at no time of day never rings`() {
    var clock = RealTimeClock(at: leapEve)
    for (index, value) in [(5, 0x24), (3, 0x00), (1, 0x00)] { clock.set(UInt8(index), UInt8(value)) }
    clock.set(0x0b, 0x22)

    #expect(clock.nextDeadline == nil)
    clock.advance(to: 100_000 * second)
    #expect(!clock.interruptLine)
  }

  @Test func `the alarm's delay is what trying each second finds`() {
    var random = SplitMix64(seed: 12)
    for _ in 0..<30 {
      func field(_ limit: UInt64) -> Int64? { random.next() % 2 == 0 ? nil : Int64(random.next() % limit) }
      let alarm = AlarmTime(second: field(60), minute: field(60), hour: field(24))
      let start = Int64(random.next() % 86_400)
      let tried = (Int64(1)...86_400).first { delay in
        let time = CalendarTime(seconds: start + delay)
        return (alarm.second ?? time.second) == time.second && (alarm.minute ?? time.minute) == time.minute
          && (alarm.hour ?? time.hour) == time.hour
      }
      #expect(alarm.delay(after: start) == tried)
    }
  }

  @Test func `an afternoon alarm in 12 hours rings in the afternoon`() {
    var clock = RealTimeClock(at: leapEve)
    clock.set(0x0b, 0x20)
    for (index, value) in [(5, 0x91), (3, 0x59), (1, 0x59)] { clock.set(UInt8(index), UInt8(value)) }

    #expect(clock.nextDeadline == second)
  }

  @Test func `the periodic interrupt has the rate that register A says`() {
    for (rate, ticks) in [(1, 128), (2, 256), (3, 4), (6, 32), (15, 16384)] as [(UInt8, UInt64)] {
      var clock = RealTimeClock(at: leapEve)
      clock.set(0x0a, 0x20 | rate)
      clock.set(0x0b, 0x42)
      #expect(clock.nextDeadline == (ticks * second + 32_767) / 32_768)
    }
    var clock = RealTimeClock(at: leapEve)
    clock.set(0x0a, 0x20)
    clock.set(0x0b, 0x42)
    #expect(clock.nextDeadline == nil)
  }

  @Test func `periodic interrupts that nobody took are counted`() {
    var clock = RealTimeClock(at: leapEve)
    clock.set(0x0b, 0x42)
    clock.advance(to: second / 2)

    #expect(clock.interruptLine)
    #expect(clock.missedPeriods == 511)
    #expect(clock.get(0x0c, now: second / 2) == 0xc0)
    #expect(clock.nextDeadline == second / 2 + 976_563)
  }

  @Test func `setting SET takes the update-ended enable away and stops updates`() {
    var clock = RealTimeClock(at: leapEve)
    clock.set(0x0b, 0x92)

    #expect(clock.get(0x0b) == 0x82)
    clock.advance(to: 10 * second)
    #expect(clock.get(0x0c, now: 10 * second) & 0x10 == 0)
  }

  // MARK: - Memory

  @Test func `registers C and D cannot be written, and D says the battery is good`() {
    var clock = RealTimeClock(at: leapEve)
    clock.set(0x0c, 0xff)
    clock.set(0x0d, 0x00)

    #expect(clock.get(0x0c) == 0)
    #expect(clock.get(0x0d) == 0x80)
  }

  @Test func `the other bytes are memory, and bit 7 of the index is not part of it`() {
    var clock = RealTimeClock(at: leapEve)
    clock.set(0x7f, 0xa5)
    #expect(clock.get(0xff, now: 5 * second) == 0xa5)
    #expect(clock.read(port: 0x70, now: 0) == 0xff)
  }

  @Test func `memory sizes are where firmware leaves them, with their sum`() {
    var clock = RealTimeClock(unixTime: 0, lowMemory: 1900 << 20, highMemory: 6 << 30)
    #expect([0x15, 0x16].map { clock.get($0) } == [0x80, 0x02])
    #expect([0x30, 0x31].map { clock.get($0) } == [0xff, 0xff])
    #expect([0x34, 0x35].map { clock.get($0) } == [0xc0, 0x75])
    #expect([0x5b, 0x5c, 0x5d].map { clock.get($0) } == [0x00, 0x80, 0x01])
    let sum = (0x10..<0x2e).reduce(0) { $0 + Int(clock.get(UInt8($1))) }
    #expect([0x2e, 0x2f].map { clock.get($0) } == [UInt8(sum >> 8), UInt8(sum & 0xff)])

    clock = RealTimeClock(unixTime: .max, lowMemory: 0, highMemory: .max)
    #expect(clock.get(0x30) == 0)
  }

  @Test func `random use never traps, and the next deadline is never in the past`() {
    var random = SplitMix64(seed: 146_818)
    for _ in 0..<fuzzRounds(200) {
      var clock = RealTimeClock(unixTime: random.next() >> (random.next() % 64), lowMemory: random.next())
      var now: UInt64 = 0
      for _ in 0..<300 {
        now = random.later(than: now)
        let index = UInt8(random.next() % 3 == 0 ? random.next() % 256 : random.next() % 16)
        switch random.next() % 3 {
        case 0: _ = clock.get(index, now: now)
        case 1: clock.set(index, UInt8(truncatingIfNeeded: random.next()), now: now)
        default:
          clock.advance(to: now)
          if let deadline = clock.nextDeadline { #expect(deadline > now) }
        }
      }
    }
  }
}
