// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The one date on everything that a medium holds, so that the same input gives the same bytes.
enum BuildDate {
  /// The first day that a FAT file system can name: 1 January 1980.
  private static let first = 315_532_800

  /// Seconds since 1970: what SOURCE_DATE_EPOCH says, if a FAT can say it too.
  static func seconds(_ wanted: String?) -> Int {
    guard let wanted = wanted.flatMap({ Int($0) }), wanted >= first, wanted < 1 << 32 else { return first }
    return wanted
  }

  private static var seconds: Int { seconds(ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"]) }

  /// The date as ISO 9660 writes it, in hundredths of a second (ECMA-119, §8.4.26.1).
  static var digits: String { digits(seconds) }

  static func digits(_ seconds: Int) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let parts = calendar.dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: Double(seconds)))
    let numbers = [parts.month, parts.day, parts.hour, parts.minute, parts.second].map { number in
      let digits = String(number ?? 0)
      return digits.count < 2 ? "0" + digits : digits
    }
    return String(parts.year ?? 1980) + numbers.joined() + "00"
  }

  /// What keeps tools from writing down this time, this time zone or this person's preferences.
  static var environment: [String: String?] {
    ["SOURCE_DATE_EPOCH": String(seconds), "TZ": "UTC0", "MTOOLSRC": "/dev/null", "MTOOLS_SKIP_CHECK": "1"]
  }
}
