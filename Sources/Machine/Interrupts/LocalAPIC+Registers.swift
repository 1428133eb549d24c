// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The registers in memory, of xAPIC mode.
extension LocalAPIC {
  /// Where the page of registers is now.
  package var address: UInt64 { base.rawValue & Base.address }

  /// Whether there are registers in memory: enabled, and not in x2APIC mode.
  package var isInMemory: Bool { base.contains(.enabled) && !isExtended }

  /// Whether it is in x2APIC mode.
  package var isExtended: Bool { base.contains(.extended) }

  /// Reads the register at `offset` of the page.
  package mutating func read(offset: UInt32, now: UInt64) -> UInt32 {
    guard isInMemory else { return 0xffff_ffff }
    switch offset {
    case Register.identity: return identity << 24
    case Register.arbitrationPriority: return UInt32(arbitrationPriority)
    case Register.remoteRead, Register.endOfInterrupt: return 0
    case Register.destinationFormat: return destinationFormat
    case Register.commandHigh: return commandHigh
    default:
      if let value = readCommon(offset, now: now) { return value }
      record(.illegalRegister)
      return 0
    }
  }

  /// Writes the register at `offset` of the page; bits that cannot be written are ignored.
  package mutating func write(offset: UInt32, value: UInt32, now: UInt64) -> Effect {
    guard isInMemory else { return .none }
    switch offset {
    // The most frequent first.
    case Register.endOfInterrupt: return endedByWrite()
    case Register.identity, Register.version, Register.arbitrationPriority, Register.processorPriority,
      Register.remoteRead, Register.currentCount, Register.inService..<Register.requestsEnd:
      break
    case Register.logicalDestination: logicalDestination = value & 0xff00_0000
    case Register.destinationFormat: destinationFormat = value | 0x0fff_ffff
    case Register.command:
      command = Command(rawValue: value & Command.writable)
      return send(command, destination: commandHigh >> 24)
    case Register.commandHigh: commandHigh = value & 0xff00_0000
    default:
      if let writable = writableBits(offset) {
        writeCommon(offset, value & writable, now: now)
      } else {
        record(.illegalRegister)
      }
    }
    return .none
  }

  mutating func endedByWrite() -> Effect {
    guard let vector = endOfInterrupt() else { return .none }
    return .endOfInterrupt(vector)
  }

  // MARK: - What both modes have

  /// The register at `offset`; `nil` if there is none.
  mutating func readCommon(_ offset: UInt32, now: UInt64) -> UInt32? {
    guard offset & 0xf == 0 else { return nil }
    advance(to: now)
    switch offset {
    case Register.version: return Self.versionWord
    case Register.taskPriority: return UInt32(taskPriority)
    case Register.processorPriority: return UInt32(processorPriority)
    case Register.logicalDestination: return extendedDestination ?? logicalDestination
    case Register.spurious: return spurious.rawValue
    case Register.inService..<Register.triggerMode: return inService.register(offset >> 4 & 7)
    case Register.triggerMode..<Register.requests: return levelTriggered.register(offset >> 4 & 7)
    case Register.requests..<Register.requestsEnd: return requests.register(offset >> 4 & 7)
    case Register.errors: return errors.rawValue
    case Register.command: return command.rawValue
    case Register.localTable..<Register.localTableEnd:
      return LocalEntry(register: offset).map { localTable[$0].rawValue }
    case Register.initialCount: return timer.initialCount
    case Register.currentCount: return timer.count(at: now)
    case Register.divide: return timer.divide
    default: return nil
    }
  }

  /// The bits that can be written of a register that is the same in both modes; `nil` for all other registers.
  func writableBits(_ offset: UInt32) -> UInt32? {
    guard offset & 0xf == 0 else { return nil }
    switch offset {
    case Register.taskPriority: return 0xff
    case Register.spurious: return Spurious.writable
    case Register.errors: return 0
    case Register.localTable..<Register.localTableEnd:
      return LocalEntry(register: offset)?.writable
    case Register.initialCount: return 0xffff_ffff
    case Register.divide: return 0xb
    default: return nil
    }
  }

  /// Writes a register that `writableBits` knows; no other bit of `value` is set.
  mutating func writeCommon(_ offset: UInt32, _ value: UInt32, now: UInt64) {
    advance(to: now)
    switch offset {
    case Register.taskPriority: taskPriority = UInt8(truncatingIfNeeded: value)
    case Register.spurious: writeSpurious(value)
    case Register.errors:
      errors = newErrors
      newErrors = .none
      interruptsOnError = true
    case Register.initialCount: writeInitialCount(value, now: now)
    case Register.divide: writeDivide(value, now: now)
    default:
      guard let entry = LocalEntry(register: offset) else { return }
      writeTable(entry, LocalVector(rawValue: value))
    }
  }

  private mutating func writeTable(_ entry: LocalEntry, _ value: LocalVector) {
    let old = localTable[entry]
    localTable[entry] = value
    // Masks cannot be taken off while the APIC is disabled (§11.4.7.2).
    if !spurious.contains(.enabled) { localTable[entry].insert(.masked) }
    if entry == .timer { timerEntryChanged(from: old) }
  }

  private mutating func writeSpurious(_ value: UInt32) {
    spurious = Spurious(rawValue: value)
    guard !spurious.contains(.enabled) else { return }
    // Disabling masks all local interrupts (§11.4.7.2).
    for index in 0..<LocalEntry.count {
      if let entry = LocalEntry(rawValue: index) { localTable[entry].insert(.masked) }
    }
    timerBacklog = 0
  }
}
