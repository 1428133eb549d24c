// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// From a port that is at rest to a drive that sent its signature, and back (AHCI 1.3.1, §10.1.2, §10.3, §10.4.2).
extension AHCIPort {
  /// Takes over a port after the controller's reset. What was requested before is issued again to the same drive.
  mutating func begin(_ number: Int, _ capabilities: HostCapabilities, _ now: UInt64) {
    space = PortSpace(registers: space.registers, number: number)
    self.capabilities = capabilities
    memory.clear()
    memory.area.publish()
    space[.commandList] = .low(memory.commandListAddress)
    space[.received] = .low(memory.receivedAddress)
    if capabilities.contains(.longAddresses) {
      space[.commandListHigh] = .high(memory.commandListAddress)
      space[.receivedHigh] = .high(memory.receivedAddress)
    }
    space.clearErrors()
    space.clearInterrupts()
    space[.interruptEnable] = .driven
    space.wakeLink()
    awaitDrive(now)
  }

  /// Waits for a drive to show.
  mutating func awaitDrive(_ now: UInt64) {
    space.change(inserting: .receive)
    enter(.linking, until: now &+ limits.link)
  }

  mutating func awaitLink(_ now: UInt64) -> Progress {
    let detection = space[.linkStatus].detection
    if detection == .established {
      // As long as the errors register shows the connection, the signature is not taken (§10.4.2).
      space.clearErrors()
      enter(.waking, until: now &+ limits.ready)
      return .moved
    }
    guard now >= deadline else { return .waiting }
    if detection == .nothing {
      loseDrive()
      return .moved
    }
    return strike(now)
  }

  mutating func awaitSignature(_ now: UInt64) -> Progress {
    let signature = space[.signature]
    if !space[.taskFile].intersects(.busy | .wantsData), signature != .missing, space.isLinked {
      guard signature == .disk else {
        giveUp(.notADisk(signature.rawValue))
        return .moved
      }
      space.clearErrors()
      space.clearInterrupts()
      space.change(inserting: .start)
      identify(now)
      return .moved
    }
    return now >= deadline || !space.isLinked ? strike(now) : .waiting
  }

  // MARK: - Stopping and resetting

  /// Stops the command engine; the drive must have no requests any more.
  mutating func stop(then next: AfterStop, _ now: UInt64) {
    space.change(removing: .start)
    enter(.stopping(next), until: now &+ limits.stop)
  }

  mutating func awaitStop(_ next: AfterStop, _ now: UInt64) -> Progress {
    guard space.isStopped else {
      guard now >= deadline else { return .waiting }
      // The engine that does not stop needs the controller's reset (§10.1.2).
      strikes += 1
      needHostReset()
      return .moved
    }
    space.clearErrors()
    space.clearInterrupts()
    // The engine may only start when the drive is not in the middle of a command (§10.3.1).
    if next == .start, space.isLinked, !space[.taskFile].intersects(.busy | .wantsData) {
      space.change(inserting: .start)
      resume(now)
      return .moved
    }
    blameSuspects()
    counters.portResets += 1
    space[.linkControl] = .reset
    enter(.resetting, until: now &+ limits.resetHold)
    return .moved
  }

  mutating func endReset(_ now: UInt64) -> Progress {
    guard now >= deadline else { return .waiting }
    memory.clear()
    space[.linkControl] = .normal
    awaitDrive(now)
    return .moved
  }

  // MARK: - What goes wrong

  /// One more attempt to become ready was in vain.
  mutating func strike(_ now: UInt64) -> Progress {
    strikes += 1
    if strikes >= limits.strikesToGiveUp {
      giveUp(.unresponsive)
    } else if strikes == limits.strikesToHostReset {
      needHostReset()
    } else {
      stop(then: .reset, now)
    }
    return .moved
  }

  mutating func needHostReset() {
    guard strikes < limits.strikesToGiveUp else { return giveUp(.unresponsive) }
    blameSuspects()
    enter(.needsHostReset)
  }

  /// There is no drive, and nothing that was requested will be done.
  mutating func loseDrive() {
    slots.finishAll(.gone)
    drive = nil
    strikes = 0
    enter(.absent)
  }

  /// The drive is not used until the link changes.
  mutating func giveUp(_ failure: DriveFailure) {
    space.change(removing: .start)
    slots.finishAll(.gone)
    drive = nil
    enter(.failed(failure))
  }
}

extension PortSpace {
  /// Gives a drive power and lets it spin up, where that is the driver's to do (§3.3.7, §10.1.1).
  func wakeLink() {
    self[.linkControl] = .normal
    change(inserting: self[.command].contains(.coldPresence) ? .powerOn | .spinUp : .spinUp)
    change(inserting: .activeLink)
  }
}

extension AddressHalf {
  static func low(_ address: UInt64) -> Self { Self(rawValue: UInt32(truncatingIfNeeded: address)) }
  static func high(_ address: UInt64) -> Self { Self(rawValue: UInt32(truncatingIfNeeded: address >> 32)) }
}
