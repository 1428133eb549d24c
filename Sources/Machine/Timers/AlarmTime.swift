// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The time of day a clock's alarm rings at; a field that is `nil` matches always ("don't care").
struct AlarmTime: Equatable, Sendable {
  var second: Int64?
  var minute: Int64?
  var hour: Int64?

  /// Seconds from `ofDay`, a second of the day, to the next match, at least one; `nil` if there is none ever.
  func delay(after ofDay: Int64) -> Int64? {
    guard (second ?? 0) < 60, (minute ?? 0) < 60, (hour ?? 0) < 24 else { return nil }
    let start = (ofDay + 1) % CalendarTime.secondsPerDay
    let target = match(hour: start / 3600, minute: start / 60 % 60, second: start % 60)
    let delay = (target - ofDay) % CalendarTime.secondsPerDay
    return delay > 0 ? delay : delay + CalendarTime.secondsPerDay
  }

  /// The first match at or after a time of day, or else the first of the next day.
  private func match(hour: Int64, minute: Int64, second: Int64) -> Int64 {
    let firstSecond = self.second ?? 0
    if matches(self.hour, hour) {
      if matches(self.minute, minute), let later = first(self.second, from: second, below: 60) {
        return hour * 3600 + minute * 60 + later
      }
      if let later = first(self.minute, from: minute + 1, below: 60) { return hour * 3600 + later * 60 + firstSecond }
    }
    let later = first(self.hour, from: hour + 1, below: 24) ?? self.hour ?? 0
    return later * 3600 + (self.minute ?? 0) * 60 + firstSecond
  }

  private func matches(_ field: Int64?, _ value: Int64) -> Bool { field == nil || field == value }

  /// The first value from `start` on that a field allows.
  private func first(_ field: Int64?, from start: Int64, below limit: Int64) -> Int64? {
    guard let field else { return start < limit ? start : nil }
    return field >= start ? field : nil
  }
}
