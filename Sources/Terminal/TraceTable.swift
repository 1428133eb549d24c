// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// The lines of `@t`: the last exits of a VM's guest.
enum TraceTable {
  static var header: LogLine { "        us ago  reason         subject             rip" }

  /// One exit.
  static func row(_ exit: ExitTrace, now: UInt64, frequency: UInt64) -> LogLine {
    var line = LogLine()
    line.append(number: (now &- min(exit.tsc, now)) / max(frequency / 1_000_000, 1), to: 14)
    line.appendLiteral("  ")
    let reason = ExitReason(rawValue: exit.reason)
    line.appendLiteral(reason?.name ?? "unknown")
    let access = Access(rawValue: exit.access)
    switch reason {
    case .portAccess: line.appendLiteral(access.contains(.write) ? " out" : " in")
    case .memoryAccess where access.contains(.write): line.appendLiteral(" write")
    case .memoryAccess where access.contains(.fetch): line.appendLiteral(" fetch")
    case .memoryAccess: line.appendLiteral(" read")
    default: break
    }
    line.pad(to: 31)
    line.appendLiteral("0x")
    line.append(magnitude: exit.subject, radix: 16)
    line.pad(to: 51)
    line.appendLiteral("0x")
    line.append(magnitude: exit.rip, radix: 16)
    return line
  }
}
