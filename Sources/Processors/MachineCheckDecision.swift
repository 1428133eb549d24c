// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a core was doing when it met a machine check.
package enum MachineCheckContext: Sendable {
  case guest
  case component
  /// Or it slept.
  case kernel
}

/// What follows from a machine check for what the core was doing. VMs whose memory is broken stop in any case.
package enum MachineCheckDecision: Equatable, Sendable {
  /// It goes on.
  case goOn
  /// The guest or component that was interrupted cannot go on; all others can.
  case stopInterrupted
  /// The machine cannot go on.
  case stopMachine(MachineCheckCause)

  /// - Parameters:
  ///   - worst: The worst of the banks that this core sees.
  ///   - global: MCG_STATUS.
  package init(_ worst: MachineCheckSeverity, _ global: MachineCheckGlobal, _ context: MachineCheckContext) {
    guard worst != .fatal else {
      self = .stopMachine(.contextLost)
      return
    }
    let isSafe = worst != .consumed && global.contains(.canRestart)
    switch context {
    case .guest, .component: self = isSafe ? .goOn : .stopInterrupted
    case .kernel:
      self = isSafe ? .goOn : .stopMachine(worst == .consumed ? .kernelConsumed : .cannotRestart)
    }
  }
}

/// Why a machine check ends all.
package enum MachineCheckCause: Sendable {
  case contextLost
  case kernelConsumed
  case cannotRestart

  package var sentence: StaticString {
    switch self {
    case .contextLost: "the processor's state is lost: nothing can be trusted to go on"
    case .kernelConsumed: "the kernel itself has used broken memory"
    case .cannotRestart: "the kernel was interrupted where it cannot go on"
    }
  }
}

/// How many lines an error that comes again and again may make: eight an hour. The rest is counted.
package struct ReportAllowance: BitwiseCopyable, Sendable {
  private static var lines: UInt32 { 8 }

  private var used: UInt32 = 0
  private var since: UInt64 = 0
  private var kept: UInt32 = 0

  package init() {}

  package enum Answer: Equatable, Sendable {
    /// To be said, after that `kept` before it were not.
    case report(kept: UInt32)
    /// The last one said for an hour.
    case reportLast
    case keep
  }

  /// Whether a line may be written at `now`, in seconds.
  package mutating func take(now: UInt64) -> Answer {
    if used == 0 || now &- since >= 3600 {
      since = now
      used = 0
    }
    guard used < Self.lines else {
      kept &+= 1
      return .keep
    }
    used += 1
    defer { kept = 0 }
    return used == Self.lines ? .reportLast : .report(kept: kept)
  }
}

/// What a port says of why there was a non-maskable interrupt: NMI status and control, port 0x61 of every PC.
package enum NMISource: Sendable {
  case systemError
  case channelCheck
  case unknown

  package static var port: UInt16 { 0x61 }

  /// - Parameter status: What the port reads as.
  package init(status: UInt8) {
    self = status & 1 << 7 != 0 ? .systemError : status & 1 << 6 != 0 ? .channelCheck : .unknown
  }

  /// What is written to the port to hear of it again: the source off, then on.
  package func acknowledgement(_ status: UInt8) -> (off: UInt8, on: UInt8)? {
    // Bits 0-3 can be written: speaker gate and data, SERR# and IOCHK# off.
    let control = status & 0b0011
    switch self {
    case .systemError: return (control | 1 << 2, control)
    case .channelCheck: return (control | 1 << 3, control)
    case .unknown: return nil
    }
  }

  package var sentence: StaticString {
    switch self {
    case .systemError: "a device reports a system error (SERR#)"
    case .channelCheck: "an I/O channel reports an error (IOCHK#)"
    case .unknown: "from a button, a watchdog or the management controller: nothing says which"
    }
  }
}
