// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The driver's own commands. They use slot 0 with a table of their own, while no request is issued.
extension AHCIPort {
  private static var ownSlot: Int { 0 }

  mutating func identify(_ now: UInt64) {
    memory.prepareBlock(PortMemory.identity)
    startOwn(CommandFrame(.identify, device: 0), entries: 1)
    enter(.identifying, until: now &+ limits.identify)
  }

  private mutating func configure(_ isEnabled: Bool, _ now: UInt64) {
    startOwn(CommandFrame(DiskRequest(isEnabled ? .enableWriteCache : .disableWriteCache, tag: 0)), entries: 0)
    enter(.configuring, until: now &+ limits.identify)
  }

  private mutating func readErrorLog(_ now: UInt64) {
    memory.prepareBlock(PortMemory.errorLog)
    startOwn(CommandFrame(.readLog, address: DriveArgument.queuedErrorLog, count: 1), entries: 1)
    enter(.readingLog, until: now &+ limits.identify)
  }

  private mutating func startOwn(_ frame: CommandFrame, entries: Int) {
    hasOwnFailed = false
    memory.setHeader(Self.ownSlot, table: PortMemory.ownTable, entries: entries, isWrite: false)
    memory.setCommand(frame, ofTable: PortMemory.ownTable)
    memory.area.publish()
    space[.issue] = .bit(Self.ownSlot)
    counters.commands += 1
  }

  mutating func awaitOwnCommand(_ now: UInt64) -> Progress {
    if !hasOwnFailed {
      guard !space[.issue].contains(.bit(Self.ownSlot)) else {
        guard now >= deadline else { return .waiting }
        counters.timeouts += 1
        return strike(now)
      }
      hasOwnFailed = space[.taskFile].intersects(.failed | .fault)
    }
    if hasOwnFailed { ownCommandFailed(now) } else { ownCommandEnded(now) }
    return .moved
  }

  private mutating func ownCommandEnded(_ now: UInt64) {
    switch phase {
    case .identifying: adoptDrive(now)
    case .configuring:
      drive?.isWriteCacheEnabled = wantedWriteCache == true
      becomeReady()
    default:
      if let report = memory.queuedError(), suspects.contains(.bit(report.slot)) {
        blame(report)
      } else {
        blameSuspects()
      }
      becomeReady()
    }
  }

  private mutating func ownCommandFailed(_ now: UInt64) {
    counters.driveErrors += 1
    switch phase {
    case .configuring:
      // The drive is used as it is.
      wantedWriteCache = nil
      stop(then: .start, now)
    case .readingLog:
      // A reset ends the drive's error state just as well; who failed will show when each is tried alone.
      stop(then: .reset, now)
    default: _ = strike(now)
    }
  }

  /// The engine runs again after an error.
  mutating func resume(_ now: UInt64) {
    if suspects.isEmpty { becomeReady() } else { readErrorLog(now) }
  }

  private mutating func becomeReady() {
    strikes = 0
    enter(.ready)
  }

  /// Takes the drive for what it says; requests for another one end, so that no byte gets to the wrong drive.
  private mutating func adoptDrive(_ now: UInt64) {
    guard let found = memory.driveIdentity() else {
      _ = strike(now)
      return
    }
    if let known = drive, !found.isSameDrive(as: known) {
      slots.finishAll(.gone)
      drive = nil
    }
    if drive == nil {
      generation &+= 1
      wantedWriteCache = nil
    }
    drive = found
    slots.capacity = hasQueue ? min(capabilities.commandSlots, found.queueDepth) : capabilities.commandSlots
    if let wanted = wantedWriteCache, found.hasWriteCache, wanted != found.isWriteCacheEnabled {
      configure(wanted, now)
    } else {
      becomeReady()
    }
  }
}
