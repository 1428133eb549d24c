// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A moment of the Gregorian calendar, as a clock's registers hold it.
///
/// Fields that came from a guest can be anything; `seconds` takes them as distances, so 31 February is 3 March.
struct CalendarTime: Equatable, Sendable {
  var second: Int64
  var minute: Int64
  var hour: Int64
  /// 1 to 31.
  var day: Int64
  /// 1 to 12.
  var month: Int64
  var year: Int64

  static var secondsPerDay: Int64 { 86_400 }

  // Days are counted in years that begin in March, so that the leap day is the last of its year; day 0 is 1 March of
  // year 0, and 400 years are 146,097 days.
  private static var daysTo1970: Int64 { 719_468 }
  private static var daysPerEra: Int64 { 146_097 }

  init(second: Int64, minute: Int64, hour: Int64, day: Int64, month: Int64, year: Int64) {
    self.second = second
    self.minute = minute
    self.hour = hour
    self.day = day
    self.month = month
    self.year = year
  }

  /// The moment `seconds` after 1970-01-01 00:00:00.
  init(seconds: Int64) {
    let days = Self.floor(seconds, Self.secondsPerDay)
    let ofDay = seconds &- days &* Self.secondsPerDay
    second = ofDay % 60
    minute = ofDay / 60 % 60
    hour = ofDay / 3600

    let shifted = days &+ Self.daysTo1970
    let era = Self.floor(shifted, Self.daysPerEra)
    let ofEra = shifted &- era &* Self.daysPerEra
    // Take away the leap days that came before, then every year has 365 days.
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - Self.daysBefore(yearOfEra)
    let monthFromMarch = (5 * ofYear + 2) / 153
    day = ofYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = era &* 400 &+ yearOfEra &+ (month <= 2 ? 1 : 0)
  }

  /// Seconds since 1970-01-01 00:00:00.
  var seconds: Int64 {
    let month = min(max(month, 1), 12)
    let marchYear = month <= 2 ? year &- 1 : year
    let era = Self.floor(marchYear, 400)
    let monthFromMarch = (month + 9) % 12
    let ofYear = (153 * monthFromMarch + 2) / 5 &+ day &- 1
    let days = era &* Self.daysPerEra &+ Self.daysBefore(marchYear &- era &* 400) &+ ofYear &- Self.daysTo1970
    return days &* Self.secondsPerDay &+ hour &* 3600 &+ minute &* 60 &+ second
  }

  /// The day of the week, 1 for Sunday.
  var weekday: Int64 {
    // 1970 began on a Thursday.
    let days = Self.floor(seconds, Self.secondsPerDay) &+ 4
    return days &- Self.floor(days, 7) &* 7 &+ 1
  }

  /// Days in the first `years` years of an era.
  private static func daysBefore(_ years: Int64) -> Int64 { 365 &* years &+ years / 4 &- years / 100 }

  /// The quotient rounded down.
  private static func floor(_ number: Int64, _ divisor: Int64) -> Int64 {
    number >= 0 ? number / divisor : 0 &- (0 &- number &+ divisor &- 1) / divisor
  }
}
