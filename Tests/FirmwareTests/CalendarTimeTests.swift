// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Firmware

@Suite struct CalendarTimeTests {
  @Test(arguments: [
    (1970, 1, 1, UInt64(0)), (2000, 2, 29, 951_782_400), (2000, 3, 1, 951_868_800), (2024, 12, 31, 1_735_603_200),
    (2100, 3, 1, 4_107_542_400),
  ])
  func `a date is counted in seconds since 1970`(year: UInt16, month: UInt8, day: UInt8, seconds: UInt64) {
    let time = CalendarTime(
      second: 0, minute: 0, hour: 0, day: day, month: month, year: UInt8(year % 100), century: UInt8(year / 100),
      registerB: 6)

    #expect(time.secondsSince1970 == seconds)
  }

  @Test func `BCD digits and twelve hours are understood`() {
    let time = CalendarTime(
      second: 0x59, minute: 0x30, hour: 0x92, day: 0x23, month: 0x11, year: 0x26, century: 0x20, registerB: 0)

    #expect(time.hour == 12 && time.minute == 30 && time.second == 59)
    #expect(time.secondsSince1970 == 1_795_437_059)
  }

  @Test func `what a dead battery leaves is no moment`() {
    let time = CalendarTime(
      second: 0xff, minute: 0xff, hour: 0xff, day: 0xff, month: 0xff, year: 0xff, century: 0xff, registerB: 0xff)

    #expect(time.secondsSince1970 == 0)
  }
}
