// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
import PCI

// A reset as a machine that is moved by `step`; nobody waits in it:
//
//   draining ─► resetting ─► settling ─► answering ─► done
//       │            (secondary bus: released in between)   │
//       │                                                   ▼
//       └───────────────────────────────────────────────► failed
//
//   draining    the function may begin nothing more; what it began is to end (PCI Express 6.0, §6.6.2)
//   resetting   the reset is signalled, for as long as it takes
//   settling    nothing may be asked of the function yet
//   answering   the function is to show itself; then its configuration is restored

/// How a function is brought back to its first state.
package enum ResetMethod: Equatable, Sendable {
  /// The function's own, of PCI Express (§6.6.2).
  case functionLevel
  /// The function's own, of conventional PCI (PCI Advanced Capabilities ECN).
  case advancedFeatures
  /// To D3 and back (PCI Express 6.0, §5.3.1.4).
  case powerState
  /// A reset of the whole bus behind this bridge (§7.5.1.3.15).
  case secondaryBus(FunctionAddress)

  /// The name that people read.
  package var name: StaticString {
    switch self {
    case .functionLevel: "function-level reset"
    case .advancedFeatures: "function-level reset (advanced features)"
    case .powerState: "power state"
    case .secondaryBus: "reset of the bus"
    }
  }
}

/// What a reset is at.
package enum ResetProgress: Equatable, Sendable {
  /// `step` is due again at this time.
  case waiting(until: UInt64)
  case done
  /// The function did not come back.
  case failed
}

/// How long the steps of a reset take, in nanoseconds.
package struct ResetTimes: Sendable {
  private static var millisecond: UInt64 { 1_000_000 }

  /// For transactions to end; the reset then goes ahead all the same (PCI Express 6.0, §6.6.2).
  package var drain = 100 * millisecond
  /// After a function-level reset (§6.6.2).
  package var functionLevel = 100 * millisecond
  /// Between power states (§5.9).
  package var powerState = 10 * millisecond
  /// How long a bus reset is signalled: at least 1 ms (§7.5.1.3.15).
  package var busHold = 2 * millisecond
  /// After a bus reset: 100 ms on PCI Express (§6.6.1), 2^25 clocks on a conventional bus (PCI Local Bus 3.0, §4.3.2).
  package var busSettle = 100 * millisecond
  package var conventionalSettle = 1_100 * millisecond
  /// For the function to show itself again: at least 1 s (PCI Express 6.0, §6.6.1).
  package var answer = 10_000 * millisecond
  /// How often it is looked at.
  package var poll = 1 * millisecond

  package init() {}
}

/// The reset of one function.
package struct FunctionReset: Sendable {
  private enum Phase: Sendable {
    case draining
    case resetting
    case settling
    case answering
    case done
    case failed
  }

  private let function: PCIFunction
  private let method: ResetMethod
  private let saved: SavedConfiguration
  private let times: ResetTimes
  private var phase = Phase.draining
  /// When the phase is over, or must be.
  private var deadline: UInt64
  /// When the function is awake.
  private var awake: UInt64

  /// Begins: from here on the function starts no transactions.
  ///
  /// - Parameters:
  ///   - method: As `resetMethod(of:)` says.
  ///   - now: Nanoseconds of any clock that never goes back; so everywhere.
  package init<A: ConfigurationAccess>(
    of function: PCIFunction, by method: ResetMethod, _ saved: SavedConfiguration, times: ResetTimes = ResetTimes(),
    in access: A, now: UInt64
  ) {
    self.function = function
    self.method = method
    self.saved = saved
    self.times = times
    deadline = now &+ times.drain
    // What sleeps in D3 cannot be told anything else.
    let isWoken = Self.setPowerState(0, of: function, in: access)
    awake = isWoken ? now &+ times.powerState : now
    access.write16(CommandBits.interruptDisable, to: function.address, Register.command)
  }

  /// Does what is due.
  package mutating func step<A: ConfigurationAccess>(in access: A, now: UInt64) -> ResetProgress {
    switch phase {
    case .draining:
      guard now >= awake else { return .waiting(until: awake) }
      guard !isPending(in: access) || now >= deadline else { return .waiting(until: now &+ times.poll) }
      return begin(in: access, now)
    case .resetting:
      guard now >= deadline else { return .waiting(until: deadline) }
      return release(in: access, now)
    case .settling:
      guard now >= deadline else { return .waiting(until: deadline) }
      return enter(.answering, until: now &+ times.answer, next: now)
    case .answering: return awaitAnswer(in: access, now)
    case .done: return .done
    case .failed: return .failed
    }
  }

  private mutating func begin<A: ConfigurationAccess>(in access: A, _ now: UInt64) -> ResetProgress {
    let capabilities = function.capabilities
    switch method {
    case .functionLevel:
      guard let express = capabilities.express else { return fail() }
      let control = express.offset + ExpressRegister.deviceControl
      access.change16(function.address, control, set: ExpressRegister.initiateReset)
      return enter(.settling, until: now &+ times.functionLevel)
    case .advancedFeatures:
      guard let advanced = capabilities.advanced else { return fail() }
      access.write(1, to: function.address, advanced.offset + AdvancedRegister.control, width: 1)
      return enter(.settling, until: now &+ times.functionLevel)
    case .powerState:
      guard capabilities.power != nil else { return fail() }
      _ = Self.setPowerState(3, of: function, in: access)
      return enter(.resetting, until: now &+ times.powerState)
    case .secondaryBus(let bridge):
      access.change16(bridge, Register.bridgeControl, set: BridgeControlBits.secondaryReset)
      return enter(.resetting, until: now &+ times.busHold)
    }
  }

  private mutating func release<A: ConfigurationAccess>(in access: A, _ now: UInt64) -> ResetProgress {
    guard case .secondaryBus(let bridge) = method else {
      _ = Self.setPowerState(0, of: function, in: access)
      return enter(.settling, until: now &+ times.powerState)
    }
    access.change16(bridge, Register.bridgeControl, clear: BridgeControlBits.secondaryReset)
    let isExpress = function.capabilities.express != nil
    return enter(.settling, until: now &+ (isExpress ? times.busSettle : times.conventionalSettle))
  }

  private mutating func awaitAnswer<A: ConfigurationAccess>(in access: A, _ now: UInt64) -> ResetProgress {
    // 1 is how a root port shows that the function asks for more time (§2.3.2).
    let vendor = access.read16(function.address, Register.vendor)
    guard vendor != 0xffff, vendor != 1 else {
      return now >= deadline ? fail() : .waiting(until: now &+ times.poll)
    }
    guard vendor == function.identity.vendor else { return fail() }
    guard saved.restore(in: access) else { return fail() }
    phase = .done
    return .done
  }

  private mutating func enter(_ next: Phase, until deadline: UInt64, next due: UInt64? = nil) -> ResetProgress {
    phase = next
    self.deadline = deadline
    return .waiting(until: due ?? deadline)
  }

  private mutating func fail() -> ResetProgress {
    phase = .failed
    return .failed
  }

  /// Whether the function waits for answers to what it asked.
  private func isPending<A: ConfigurationAccess>(in access: A) -> Bool {
    if let express = function.capabilities.express {
      let status = access.read16(function.address, express.offset + ExpressRegister.deviceStatus)
      return status & ExpressRegister.transactionsPending != 0
    }
    guard let advanced = function.capabilities.advanced, advanced.tellsPending else { return false }
    let status = access.read8(function.address, advanced.offset + AdvancedRegister.status)
    return status & AdvancedRegister.transactionsPending != 0
  }

  /// - Returns: Whether it was in another state.
  private static func setPowerState<A: ConfigurationAccess>(
    _ state: UInt16, of function: PCIFunction, in access: A
  ) -> Bool {
    guard let power = function.capabilities.power else { return false }
    let place = power.offset + PowerRegister.control
    let control = access.read16(function.address, place)
    guard control & PowerRegister.state != state else { return false }
    let rest = control & ~(PowerRegister.state | PowerRegister.eventEnable | PowerRegister.eventStatus)
    access.write16(rest | state, to: function.address, place)
    return true
  }
}

extension Span<PCIFunction> {
  /// The best way to reset function `index`; `nil` if there is none that touches no other.
  package func resetMethod(of index: Int) -> ResetMethod? {
    let function = self[index]
    guard !function.isBridge else { return nil }
    if function.capabilities.express?.canReset == true { return .functionLevel }
    if function.capabilities.advanced != nil { return .advancedFeatures }
    if let power = function.capabilities.power, !power.keepsState { return .powerState }
    guard let parent = parent(of: index), !isShared(function.address) else { return nil }
    return .secondaryBus(self[parent].address)
  }

  /// Whether another function is on the same bus.
  private func isShared(_ address: FunctionAddress) -> Bool {
    for index in 0..<count {
      let other = self[index].address
      if other.segment == address.segment, other.bus == address.bus, other != address { return true }
    }
    return false
  }
}
