// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Processor time of running processes, from /proc (proc(5)).
enum ProcessorTime {
  /// What all processes of the group have used, together.
  static func ofGroup(_ group: Int32) -> Duration {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let ticks = names.filter { $0.first?.isNumber == true }.reduce(0) { $0 + ofProcess($1, in: group) }
    return .seconds(Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK))))
  }

  private static func ofProcess(_ name: String, in group: Int32) -> Int {
    guard let text = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
      let nameEnd = text.lastIndex(of: ")")
    else { return 0 }
    let fields = text[nameEnd...].split(separator: " ")
    guard fields.count > 13, Int32(fields[3]) == group, let user = Int(fields[12]), let system = Int(fields[13])
    else { return 0 }
    return user + system
  }
}
