// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// The lines of `@s`: what the kernel counted of a VM, as `name=number` for programs to read.
enum Statistics {
  /// How often its guest left, and where for.
  static func exits(_ name: ShortName, _ status: DomainStatus) -> LogLine {
    var line: LogLine = "STATS \(name) exits=\(status.exits) interrupt=\(status.interruptExits)"
    line.append(.portAccess, status)
    line.append(.memoryAccess, status)
    line.append(.halt, status)
    return line
  }

  /// Where its time went, in ticks of the time-stamp counter, and how often it was called.
  static func times(_ name: ShortName, _ status: DomainStatus) -> LogLine {
    let ownTicks = status.ticks &- min(status.ticks, status.guestTicks)
    return
      "STATS \(name) guest_ticks=\(status.guestTicks) vmm_ticks=\(ownTicks) calls=\(status.systemCalls) kicks=\(status.kicks)"
  }

  /// How often others had something to tell its VMM: servers, timers, devices.
  static func notifications(_ name: ShortName, _ status: DomainStatus) -> LogLine {
    "STATS \(name) notifications=\(status.notifications) posted=\(status.posted)"
  }

  /// The rest, and what an exit costs the kernel on average.
  static func rest(_ name: ShortName, _ status: DomainStatus) -> LogLine {
    var line: LogLine = "STATS \(name)"
    line.append(.cpuid, status)
    line.append(.readMSR, status)
    line.append(.writeMSR, status)
    line.append(.hypercall, status)
    line.appendLiteral(" kernel_ticks_per_exit=")
    line.append(magnitude: status.kernelTicks / max(status.exits, 1), radix: 10)
    return line
  }
}

extension LogLine {
  fileprivate mutating func append(_ reason: ExitReason, _ status: DomainStatus) {
    append(byte: 0x20)
    appendLiteral(reason.name)
    append(byte: 0x3d)
    append(magnitude: status.exitsByReason[Int(reason.rawValue)], radix: 10)
  }
}
