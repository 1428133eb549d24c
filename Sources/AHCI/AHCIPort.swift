// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// A port and its drive, as a machine that is moved by `service`:
//
//   idle ─begin─► linking ─► waking ─► identifying ─► (configuring) ─► ready ◄──────────────┐
//                  │  ▲         │           │                            │ error            │
//           absent ◄┘ │         └─ strike ──┤                            ▼                  │
//              │      │                     │          ┌──────────── stopping ─► readingLog ┤
//              └──────┤                     ▼          ▼                │                   │
//         a drive was │                 stopping ─► resetting           └───────────────────┘
//         plugged in  └─────────────────────────────────┘
//
//   linking      the receive engine runs; a drive is to show on the link (AHCI 1.3.1, §10.1.2)
//   waking       it is there, and is to send its signature and become ready
//   identifying  it is asked who it is; configuring: it is told the wanted setting of its write cache
//   ready        requests are issued and harvested; the only state in which the drive has any of them
//   stopping     the command engine is to stop: then the port is reset, or started again
//   resetting    COMRESET is signalled (§10.4.2)
//   readingLog   the drive is asked which queued command failed (§6.2.2.2)
//   absent       no drive; a change of the link begins anew
//   needsHostReset, failed   the controller has to act, or the drive is given up until the link changes
//
// Every state but `ready`, `absent` and the last ones has a deadline. What fails on the way to `ready` is a strike:
// after some the controller is reset, after more the drive is given up. A request is tried a few times; what fails
// while others are beside it is tried alone, so that a failure has one owner. So everything ends, whatever the drive
// answers.

/// Why a drive is not used.
package enum DriveFailure: Equatable, Sendable {
  /// It does not come up, or what it says of itself cannot be.
  case unresponsive
  /// Not a disk, by the signature it sent.
  case notADisk(UInt32)
}

/// One port of a controller, the drive behind it, and the requests for that.
struct AHCIPort<Registers: RegisterSpace>: ~Copyable {
  enum AfterStop: Equatable {
    case start
    case reset
  }

  enum Phase: Equatable {
    case idle
    case linking
    case waking
    case identifying
    case configuring
    case ready
    case stopping(AfterStop)
    case resetting
    case readingLog
    case absent
    case needsHostReset
    case failed(DriveFailure)
  }

  /// Whether a step led to another phase.
  enum Progress {
    case moved
    case waiting
  }

  let memory: PortMemory
  let limits: TimeLimits
  var space: PortSpace<Registers>
  var capabilities = HostCapabilities.none
  var phase = Phase.idle
  /// When the phase must be over.
  var deadline: UInt64 = 0
  /// Vain attempts to become ready, in a row.
  var strikes = 0
  var slots = SlotTable()
  /// The drive, while it is there or may come back from a reset.
  var drive: DriveIdentity?
  /// How often a drive was found that was not there before.
  var generation: UInt32 = 0
  /// The setting of the write cache that was last asked for.
  var wantedWriteCache: Bool?
  /// The driver's own command has failed.
  var hasOwnFailed = false
  /// Queued commands one of which has failed, and how: until the log tells which.
  var suspects = SlotSet.none
  var suspectedError = DriveError.none
  var counters = Counters()

  init(registers: Registers, memory: PortMemory, limits: TimeLimits) {
    space = PortSpace(registers: registers, number: 0)
    self.memory = memory
    self.limits = limits
  }

  /// What the port has to say; each cause once.
  mutating func takeCauses() -> PortInterrupts {
    let causes = space[.interruptStatus]
    guard !causes.isEmpty else { return causes }
    // What mirrors the errors register stays set until that is cleared (§3.3.5).
    if causes.intersects(.linkTrouble) { space.clearErrors() }
    space[.interruptStatus] = causes
    if causes.intersects(.transferErrors | .linkError) { counters.linkErrors += 1 }
    return causes
  }

  /// Answers `causes` and does what is due. Its work is bounded, whatever the port says.
  mutating func service(_ causes: PortInterrupts, _ now: UInt64) {
    react(to: causes, now)
    for _ in 0..<16 {
      guard step(now) == .moved else { break }
    }
    issue(now)
  }

  /// When `service` is due even without an interrupt; `nil` if never.
  func nextDeadline(after now: UInt64) -> UInt64? {
    switch phase {
    case .idle, .absent, .needsHostReset, .failed: nil
    case .ready: slots.firstDeadline
    case .resetting: deadline
    case .stopping: now &+ limits.poll
    case .linking, .waking, .identifying, .configuring, .readingLog: now &+ limits.slowPoll
    }
  }

  private mutating func react(to causes: PortInterrupts, _ now: UInt64) {
    switch phase {
    case .ready: reactWhenReady(to: causes, now)
    case .identifying, .configuring, .readingLog:
      if causes.intersects(.linkChange | .transferErrors | .taskFileError) { hasOwnFailed = true }
    case .absent, .failed:
      guard causes.intersects(.linkChange) else { return }
      strikes = 0
      // Only a reset tells the new drive's signature from the old one's.
      stop(then: .reset, now)
    case .idle, .linking, .waking, .stopping, .resetting, .needsHostReset: return
    }
  }

  private mutating func reactWhenReady(to causes: PortInterrupts, _ now: UInt64) {
    if causes.intersects(.linkChange | .transferErrors) {
      recover(from: .link, now)
    } else if causes.contains(.taskFileError) {
      recover(from: .taskFile, now)
    } else {
      harvest(now)
    }
  }

  private mutating func step(_ now: UInt64) -> Progress {
    switch phase {
    case .idle, .absent, .needsHostReset, .failed: .waiting
    case .linking: awaitLink(now)
    case .waking: awaitSignature(now)
    case .identifying, .configuring, .readingLog: awaitOwnCommand(now)
    case .ready: enforceDeadlines(now)
    case .stopping(let next): awaitStop(next, now)
    case .resetting: endReset(now)
    }
  }

  /// Whether the command engine cannot be in the middle of a command that was given up.
  var hasStopped: Bool {
    switch phase {
    case .stopping, .needsHostReset: false
    default: true
    }
  }

  mutating func enter(_ next: Phase, until deadline: UInt64 = .max) {
    phase = next
    self.deadline = deadline
  }
}
