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
    line.append("  ")
    let reason = ExitReason(rawValue: exit.reason)
    line.append(reason?.name ?? "unknown")
    let access = Access(rawValue: exit.access)
    switch reason {
    case .portAccess: line.append(access.contains(.write) ? " out" : " in")
    case .memoryAccess: line.append(access.contains(.write) ? " write" : access.contains(.fetch) ? " fetch" : " read")
    default: break
    }
    line.pad(to: 31)
    line.append("0x")
    line.append(magnitude: exit.subject, radix: 16)
    line.pad(to: 51)
    line.append("0x")
    line.append(magnitude: exit.rip, radix: 16)
    return line
  }
}
