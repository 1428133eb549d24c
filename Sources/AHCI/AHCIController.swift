// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// The controller as a machine that is moved by `service`; what came before, an earlier driver that was cut off in
// the middle of its work included, is brought to rest first:
//
//   releasing ─► stopping ─► silencing ─► resetting ─► scanning ─► running ─┐
//                   ▲                         │            ▲   not a disk   │
//                   │                         ▼            └────────────────┤
//                   │                      failed                           │
//                   └───────────────── the port needs it ───────────────────┘
//
//   releasing   the firmware is to let go (AHCI 1.3.1, §10.6.3)
//   stopping    the command engines of all ports are to stop, so that nothing is read or written any more
//   silencing   the receive engines are to stop, which may only be told when the others have
//   resetting   the controller resets itself (§10.4.3); from here on nothing of the past is left
//   scanning    a drive is to show on one of the ports; lasts if there is none
//   running     the port does the rest

/// Which port's drive to use.
package enum PortChoice: Equatable, Sendable {
  /// The first port with a disk.
  case first
  case number(Int)
}

/// Why a controller is not used.
package enum ControllerFailure: Equatable, Sendable {
  /// Nothing answers.
  case missing
  case resetTimedOut
  /// The controller does not have the port, or has none.
  case noSuchPort
  /// The memory given to the driver is not all where the controller can reach it.
  case memoryTooHigh
  case drive(DriveFailure)
}

/// What there is to be had of a controller.
package enum ControllerStatus: Equatable, Sendable {
  /// Not known yet.
  case starting
  /// Requests are carried out.
  case ready
  /// Requests are taken, and carried out when controller and drive have come round.
  case recovering
  /// There is no drive; one can be plugged in.
  case absent
  case failed(ControllerFailure)
}

/// An AHCI controller with one disk: AHCI 1.3.1, for drives with 48-bit addresses and DMA (all with Serial ATA).
///
/// The owner calls `service` on each interrupt and when `nextDeadline` is over, `submit` and then `issue` for new
/// requests, and `takeCompletion` until there is none. No call waits for anything.
package struct AHCIController<Registers: RegisterSpace>: ~Copyable {
  enum Phase: Equatable {
    case releasing
    case stopping
    case silencing
    case resetting
    case scanning
    case running
    case failed(ControllerFailure)
  }

  let registers: Registers
  let choice: PortChoice
  let limits: TimeLimits
  var port: AHCIPort<Registers>
  var phase = Phase.releasing
  /// When the phase must be over.
  var deadline: UInt64 = 0
  /// When the first of several drives may be chosen.
  var settled: UInt64 = 0
  var capabilities = HostCapabilities.none
  var implemented = PortSet.none
  /// The port that is used, from the first time on.
  var chosen: Int?
  /// Ports with something that is not a disk.
  var excluded = PortSet.none

  /// - Parameters:
  ///   - registers: The controller's, with bus mastering on.
  ///   - memory: What the controller can reach.
  ///   - now: Nanoseconds of any clock that never goes back; so everywhere.
  package init(
    registers: Registers, memory: DMAArea, port: PortChoice = .first, limits: TimeLimits = TimeLimits(), now: UInt64
  ) {
    self.registers = registers
    choice = port
    self.limits = limits
    self.port = AHCIPort(registers: registers, memory: PortMemory(area: memory), limits: limits)
    takeOver(now)
  }

  /// Does what an interrupt is about.
  package mutating func interrupt(now: UInt64) {
    port.counters.interrupts += 1
    service(now: now)
  }

  /// Does what is due: at the latest when `nextDeadline` is over. Its work is bounded, whatever the controller answers.
  package mutating func service(now: UInt64) {
    for _ in 0..<8 {
      guard step(now) == .moved else { break }
    }
  }

  /// Whether `service` has something to do although there was no interrupt: while requests just go their way it has
  /// not, and each look at a register takes its time.
  package func needsService(at now: UInt64) -> Bool {
    phase != .running || port.phase != .ready || (port.slots.firstDeadline ?? .max) <= now
  }

  /// When `service` must be called next if there is no interrupt before; `nil` if only an interrupt can bring news.
  package func nextDeadline(after now: UInt64) -> UInt64? {
    switch phase {
    case .failed: nil
    case .running: port.nextDeadline(after: now)
    case .scanning where deadline == .max: nil
    case .scanning: now &+ limits.slowPoll
    case .releasing, .stopping, .silencing, .resetting: now &+ limits.poll
    }
  }

  // MARK: - Requests

  /// Takes a request; `issue` gives it to the drive.
  /// - Parameter segments: Adds the request's memory, as the controller sees it, piece by piece.
  package mutating func submit(
    _ request: DiskRequest, segments: (inout ScatterList) throws(RequestError) -> Void = { _ in }
  ) throws(RequestError) {
    if case .failed = status { throw .gone }
    try port.submit(request, segments: segments)
  }

  /// Gives the drive what was submitted, as far as it takes more.
  package mutating func issue(now: UInt64) {
    if phase == .running { port.issue(now) }
  }

  /// A request that has ended; each once, in no particular order.
  package mutating func takeCompletion() -> Completion? { port.takeCompletion() }

  // MARK: - What there is to know

  package var status: ControllerStatus {
    if case .failed(let failure) = phase { return .failed(failure) }
    if phase == .scanning, port.drive == nil { return deadline == .max ? .absent : .starting }
    switch port.phase {
    case .ready: return .ready
    case .absent: return .absent
    case .failed(let failure): return .failed(.drive(failure))
    default: return port.drive == nil ? .starting : .recovering
    }
  }

  /// The disk, while it is there.
  package var drive: DriveIdentity? { port.drive }

  /// Grows when another disk is found than the one before, or the same again after it was gone.
  package var generation: UInt32 { port.generation }

  /// Which port the disk is behind; `nil` before one was chosen.
  package var portNumber: Int? { chosen }

  /// Whether no command that has ended reaches memory any more, those of an earlier driver included.
  package var isQuiet: Bool {
    switch phase {
    case .releasing, .stopping, .silencing, .resetting, .failed(.resetTimedOut): false
    case .scanning, .failed: true
    case .running: port.hasStopped
    }
  }

  package var requestLimits: RequestLimits {
    RequestLimits(depth: port.slots.capacity, highestAddress: port.highestAddress)
  }

  package var counters: Counters { port.counters }
}
