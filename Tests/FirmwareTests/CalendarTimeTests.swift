// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Firmware
import Foundation
import TestSupport
import Testing

@Suite struct CalendarTimeTests {
  private func time(
    _ year: UInt16, _ month: UInt8, _ day: UInt8, _ hour: UInt8 = 0, _ minute: UInt8 = 0, _ second: UInt8 = 0
  ) -> CalendarTime {
    CalendarTime(
      second: second, minute: minute, hour: hour, day: day, month: month, year: UInt8(year % 100),
      century: UInt8(year / 100), registerB: 6)
  }

  @Test func `every day of three centuries has its place`() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
    for day in stride(from: 0, to: 300 * 365, by: 13) {
      let date = Date(timeIntervalSince1970: Double(day) * 86_400 + 3_661)
      let parts = calendar.dateComponents([.year, .month, .day], from: date)
      let found = time(
        UInt16(try #require(parts.year)), UInt8(try #require(parts.month)), UInt8(try #require(parts.day)), 1, 1, 1)
      #expect(found.secondsSince1970 == UInt64(day) * 86_400 + 3_661)
    }
  }

  @Test func `leap days count`() {
    #expect(time(2024, 3, 1).secondsSince1970 - time(2024, 2, 28).secondsSince1970 == 2 * 86_400)
    #expect(time(2100, 3, 1).secondsSince1970 - time(2100, 2, 28).secondsSince1970 == 86_400)
    #expect(time(2000, 2, 29).secondsSince1970 == 951_782_400)
  }

  @Test(arguments: [(0x12, 0), (0x01, 1), (0x11, 11), (0x92, 12), (0x81, 13), (0x91, 23)] as [(UInt8, UInt8)])
  func `twelve-hour clocks in BCD are understood`(raw: UInt8, hour: UInt8) {
    let found = CalendarTime(
      second: 0x59, minute: 0x30, hour: raw, day: 0x31, month: 0x12, year: 0x99, century: 0x19, registerB: 0)
    #expect([found.hour, found.minute, found.second, found.day, found.month] == [hour, 30, 59, 31, 12])
    #expect(found.year == 1999)
  }

  @Test func `without a century it is this one`() {
    let found = CalendarTime(
      second: 0, minute: 0, hour: 0, day: 1, month: 1, year: 0x26, century: 0, registerB: 2)
    #expect(found.year == 2026)
  }

  @Test func `what is no moment is 1970, and no bytes trap`() {
    for wrong in [time(2024, 13, 1), time(2024, 1, 0), time(2024, 1, 1, 24), time(2024, 1, 1, 0, 60), time(1969, 1, 1)]
    {
      #expect(wrong.secondsSince1970 == 0)
    }
    var random = SplitMix64(seed: 10)
    for _ in 0..<fuzzRounds(5000) {
      let bytes = (0..<8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      _ =
        CalendarTime(
          second: bytes[0], minute: bytes[1], hour: bytes[2], day: bytes[3], month: bytes[4], year: bytes[5],
          century: bytes[6], registerB: bytes[7]
        ).secondsSince1970
    }
  }
}
