// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// From any state to a chosen port (AHCI 1.3.1, §10.1, §10.4.3, §10.6).
extension AHCIController {
  enum Progress {
    case moved
    case waiting
  }

  /// Begins anew: from the start of the driver.
  mutating func takeOver(_ now: UInt64) {
    guard registers[.control] != .absent else { return fail(.missing) }
    // No other register counts before (§3.1.2).
    registers[.control].insert(.enabled)
    registers[.control].remove(.interrupts)
    capabilities = registers[.capabilities]
    implemented = registers[.implementedPorts]
    guard registers[.moreCapabilities].contains(.handoff) else { return stopPorts(now) }
    registers[.handoff].insert(.driverOwns)
    enter(.releasing, until: now &+ limits.handoff)
  }

  mutating func step(_ now: UInt64) -> Progress {
    switch phase {
    case .releasing: return awaitRelease(now)
    case .stopping: return awaitStop(now)
    case .silencing: return awaitSilence(now)
    case .resetting: return awaitReset(now)
    case .scanning: return scan(now)
    case .running: return run(now)
    case .failed: return .waiting
    }
  }

  private mutating func enter(_ next: Phase, until deadline: UInt64 = .max) {
    phase = next
    self.deadline = deadline
  }

  private mutating func fail(_ failure: ControllerFailure) {
    port.slots.finishAll(.gone)
    port.drive = nil
    enter(.failed(failure))
  }

  // MARK: - To rest

  private mutating func awaitRelease(_ now: UInt64) -> Progress {
    let handoff = registers[.handoff]
    if handoff.contains(.firmwareOwns) {
      let isBusy = handoff.contains(.firmwareBusy)
      guard now >= (isBusy ? deadline &+ limits.busyHandoff : deadline) else { return .waiting }
    }
    stopPorts(now)
    return .moved
  }

  /// Nothing of what an earlier driver began may reach memory any more.
  private mutating func stopPorts(_ now: UInt64) {
    eachPort(implemented) { port in
      port[.interruptEnable] = .none
      port.change(removing: .start)
    }
    enter(.stopping, until: now &+ limits.stop)
  }

  private mutating func awaitStop(_ now: UInt64) -> Progress {
    guard now >= deadline || isEveryPort(withoutAny: .running) else { return .waiting }
    // A port whose command engine is stuck must not be told (§3.3.7); the reset is for that.
    eachPort(implemented) { if $0.isStopped { $0.change(removing: .receive) } }
    enter(.silencing, until: now &+ limits.stop)
    return .moved
  }

  private mutating func awaitSilence(_ now: UInt64) -> Progress {
    guard now >= deadline || isEveryPort(withoutAny: .receiving) else { return .waiting }
    // Engines that did not stop are stopped by this.
    port.counters.hostResets += 1
    registers[.control].insert(.reset)
    enter(.resetting, until: now &+ limits.hostReset)
    return .moved
  }

  private mutating func awaitReset(_ now: UInt64) -> Progress {
    let control = registers[.control]
    guard control != .absent else {
      fail(.missing)
      return .moved
    }
    if control.contains(.reset) {
      guard now >= deadline else { return .waiting }
      fail(.resetTimedOut)
      return .moved
    }
    prepareScan(now)
    return .moved
  }

  // MARK: - To a port

  private mutating func prepareScan(_ now: UInt64) {
    registers[.control].insert(.enabled)
    capabilities = registers[.capabilities]
    implemented = registers[.implementedPorts]
    excluded = .none
    guard capabilities.contains(.longAddresses) || port.memory.lastAddress <= 0xffff_ffff else {
      return fail(.memoryTooHigh)
    }
    guard !candidates.isEmpty else { return fail(.noSuchPort) }
    eachPort(candidates) { port in
      port.clearErrors()
      port.clearInterrupts()
      port[.interruptEnable] = .linkChange
      port.wakeLink()
    }
    registers[.interruptStatus] = .all
    registers[.control].insert(.interrupts)
    settled = now &+ limits.settle
    enter(.scanning, until: now &+ limits.link)
  }

  /// The ports whose drive may be used.
  private var candidates: PortSet {
    guard let number = wanted else { return implemented.subtracting(excluded) }
    return (0..<HostLayout.portCount).contains(number) ? implemented & .bit(number) : .none
  }

  /// The port that must be used, if it is known.
  private var wanted: Int? { if case .number(let number) = choice { number } else { chosen } }

  private mutating func scan(_ now: UInt64) -> Progress {
    if let number = wanted { return use(number, now) }
    var linked = PortSet.none
    eachPort(candidates) { port in
      if port.isLinked { linked.insert(.bit(port.number)) }
      port.clearErrors()
      port.clearInterrupts()
    }
    registers[.interruptStatus] = candidates
    // A drive behind a later port may only be taken when those before had their time.
    if let first = linked.first, now >= settled || candidates.first == first { return use(first, now) }
    if now >= deadline, deadline != .max {
      port.loseDrive()
      enter(.scanning)
    }
    return .waiting
  }

  private mutating func use(_ number: Int, _ now: UInt64) -> Progress {
    eachPort(candidates.subtracting(.bit(number))) { $0[.interruptEnable] = .none }
    chosen = number
    enter(.running)
    port.begin(number, capabilities, now)
    return .moved
  }

  private mutating func run(_ now: UInt64) -> Progress {
    // In this order nothing is lost: what ends from here on is seen below, or interrupts again (§10.7.2.1).
    let causes = port.takeCauses()
    registers[.interruptStatus] = .bit(port.space.number)
    port.service(causes, now)
    switch port.phase {
    case .needsHostReset:
      stopPorts(now)
      return .moved
    case .failed(.notADisk) where choice == .first:
      excluded.insert(.bit(port.space.number))
      chosen = nil
      eachPort(candidates) { $0[.interruptEnable] = .linkChange }
      settled = now
      enter(.scanning, until: now)
      return .moved
    default: return .waiting
    }
  }

  // MARK: - Ports

  private func eachPort(_ which: PortSet, _ body: (PortSpace<Registers>) -> Void) {
    var rest = which
    while let number = rest.takeFirst() { body(PortSpace(registers: registers, number: number)) }
  }

  private func isEveryPort(withoutAny engines: PortCommand) -> Bool {
    var isSo = true
    eachPort(implemented) { if $0[.command].intersects(engines) { isSo = false } }
    return isSo
  }
}
