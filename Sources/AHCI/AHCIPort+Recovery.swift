// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What becomes of the drive and its requests when something fails (AHCI 1.3.1, §6.2.2).
extension AHCIPort {
  enum Fault: Equatable {
    /// The drive says that a command failed.
    case taskFile
    /// The link, the bus or the controller failed: no one command is known to be the cause.
    case link
    /// These commands were not answered in time.
    case silence(SlotSet)
  }

  /// Takes all requests back from the drive, sees to whose fault it was, and brings the port to where it can go on.
  mutating func recover(from fault: Fault, _ now: UInt64) {
    // Once the engine stops, the controller forgets who was done (§3.3.13).
    harvestQueued()
    let wasQueued = exclusive == nil
    let interrupted = withdraw()
    switch fault {
    case .taskFile:
      counters.driveErrors += 1
      let error = space[.taskFile].error
      if wasQueued {
        suspects = interrupted
        suspectedError = error
      } else if let slot = interrupted.first {
        blame(slot, error, at: memory.reportedSector())
      }
      stop(then: .start, now)
    case .link:
      if interrupted.count == 1, let slot = interrupted.first { fail(slot, .refused) }
      slots.countDisturbance(interrupted)
      stop(then: .reset, now)
    case .silence(let silent):
      counters.timeouts += 1
      var rest = silent & interrupted
      while let slot = rest.takeFirst() { fail(slot, .timedOut) }
      slots.countDisturbance(interrupted.subtracting(silent))
      stop(then: .reset, now)
    }
  }

  /// The drive has no requests any more; those it had wait again.
  private mutating func withdraw() -> SlotSet {
    let interrupted = slots.suspend()
    counters.repeats += UInt64(interrupted.count)
    return interrupted
  }

  mutating func enforceDeadlines(_ now: UInt64) -> Progress {
    guard let first = slots.firstDeadline, first <= now else { return .waiting }
    // The interrupt alone may have been lost.
    harvest(now)
    guard phase == .ready else { return .moved }
    let silent = slots.expired(at: now)
    guard !silent.isEmpty else { return .waiting }
    recover(from: .silence(silent), now)
    return .moved
  }

  // MARK: - Whose fault it was

  /// The log has named the command that failed.
  mutating func blame(_ report: QueuedError) {
    let others = suspects.subtracting(.bit(report.slot))
    suspects = .none
    slots.countDisturbance(others)
    blame(report.slot, report.error, at: report.sector)
  }

  /// The log has named nobody: if there were several, each is tried alone.
  mutating func blameSuspects() {
    if suspects.count == 1, let slot = suspects.first {
      blame(slot, suspectedError, at: nil)
    } else {
      slots.isolate(suspects)
    }
    suspects = .none
  }

  /// The drive has said that this command failed.
  private mutating func blame(_ slot: Int, _ error: DriveError, at sector: UInt64?) {
    let request = slots[slot].request
    if error.intersects(.medium), !error.contains(.checksum) {
      let isInside = sector.map { $0 >= request.address && $0 - request.address < UInt64(request.sectors) } == true
      slots.finish(slot, .mediumError(isInside ? sector : nil))
    } else if request.kind == .flush {
      // What a flush could not write is dropped by it: asked again, the drive would speak of the rest only
      // (ACS-3, §7.10.4), and a success would be a lie.
      slots.finish(slot, .mediumError(nil))
    } else {
      fail(slot, .refused)
    }
  }

  /// The request has failed once more: it is tried again, alone, or ends.
  private mutating func fail(_ slot: Int, _ outcome: DiskOutcome) {
    slots.countFailure(slot)
    if slots[slot].failures >= limits.tries {
      slots.finish(slot, outcome)
    } else {
      slots.isolate(.bit(slot))
    }
  }
}
