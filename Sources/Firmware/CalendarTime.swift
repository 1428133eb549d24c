// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A moment as a battery-backed clock keeps it (MC146818A: seconds to year, and what register B says of them).
package struct CalendarTime: Equatable, Sendable {
  package var second: UInt8
  package var minute: UInt8
  package var hour: UInt8
  package var day: UInt8
  package var month: UInt8
  package var year: UInt16

  /// Numbers as the chip holds them: `registerB` bit 2 for binary, bit 1 for 24 hours; a `century` of 0 is 20.
  package init(
    second: UInt8, minute: UInt8, hour: UInt8, day: UInt8, month: UInt8, year: UInt8, century: UInt8, registerB: UInt8
  ) {
    let isBinary = registerB & 4 != 0
    let decode = { (value: UInt8) -> UInt8 in isBinary ? value : (value >> 4) &* 10 &+ (value & 0xf) }
    self.second = decode(second)
    self.minute = decode(minute)
    self.day = decode(day)
    self.month = decode(month)
    let hours = decode(hour & 0x7f)
    if registerB & 2 != 0 {
      self.hour = decode(hour)
    } else {
      self.hour = hours % 12 &+ (hour & 0x80 != 0 ? 12 : 0)
    }
    let centuries = century == 0 ? 20 : UInt16(decode(century))
    self.year = centuries &* 100 &+ UInt16(decode(year))
  }

  /// Seconds since 1970-01-01 00:00:00; 0 if this is no moment after that.
  package var secondsSince1970: UInt64 {
    guard year >= 1970, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 62 else {
      return 0
    }
    // Days from civil date, with years that begin in March so that the leap day is the last.
    let shifted = UInt64(year) - (month <= 2 ? 1 : 0)
    let monthFromMarch = UInt64(month <= 2 ? month + 9 : month - 3)
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + UInt64(day) - 1
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    return ((days * 24 + UInt64(hour)) * 60 + UInt64(minute)) * 60 + UInt64(second)
  }
}
