// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A model-specific register of the local APIC was used as it must not be: the processor raises #GP.
package enum LocalAPICFault: Error, Equatable {
  case generalProtection
}

/// The model-specific registers: IA32_APIC_BASE, IA32_TSC_DEADLINE and x2APIC mode's (Intel SDM volume 3, §11.12).
extension LocalAPIC {
  /// Whether `register` is one of this device's.
  package static func owns(msr register: UInt32) -> Bool {
    register == MSR.base || register == MSR.tscDeadline || MSR.x2APIC.contains(register)
  }

  package mutating func readMSR(_ register: UInt32, now: UInt64) throws(LocalAPICFault) -> UInt64 {
    switch register {
    case MSR.base: return base.rawValue
    case MSR.tscDeadline: return tscDeadline ?? 0
    default: break
    }
    let offset = try extendedOffset(register)
    switch offset {
    case Register.identity: return UInt64(identity)
    case Register.command: return UInt64(commandHigh) << 32 | UInt64(command.rawValue)
    default:
      guard let value = readCommon(offset, now: now) else { throw .generalProtection }
      return UInt64(value)
    }
  }

  package mutating func writeMSR(_ register: UInt32, value: UInt64, now: UInt64) throws(LocalAPICFault) -> Effect {
    switch register {
    case MSR.base:
      try writeBase(Base(rawValue: value))
      return .none
    case MSR.tscDeadline:
      writeTSCDeadline(value)
      return .none
    default: break
    }
    let offset = try extendedOffset(register)
    switch offset {
    case Register.endOfInterrupt:
      guard value == 0 else { throw .generalProtection }
      return endedByWrite()
    case Register.command: return try sendExtended(value)
    case Register.selfInterrupt:
      guard value <= 0xff else { throw .generalProtection }
      return send(Command(rawValue: Shorthand.toSelf.rawValue << 18 | UInt32(value)), destination: 0)
    default:
      guard let writable = writableBits(offset), value & ~UInt64(writable) == 0 else { throw .generalProtection }
      writeCommon(offset, UInt32(truncatingIfNeeded: value), now: now)
      return .none
    }
  }

  /// LDR of x2APIC mode, which follows from the identity (§11.12.10.2).
  var extendedDestination: UInt32? { isExtended ? (identity >> 4) << 16 | 1 << (identity & 15) : nil }

  /// The register's offset in the page of xAPIC mode; outside x2APIC mode there is no such MSR.
  private func extendedOffset(_ register: UInt32) throws(LocalAPICFault) -> UInt32 {
    guard isExtended, MSR.x2APIC.contains(register) else { throw .generalProtection }
    return (register - MSR.x2APIC.lowerBound) << 4
  }

  private mutating func sendExtended(_ value: UInt64) throws(LocalAPICFault) -> Effect {
    let low = UInt32(truncatingIfNeeded: value)
    guard low & ~Command.writable == 0 else { throw .generalProtection }
    command = Command(rawValue: low)
    commandHigh = UInt32(truncatingIfNeeded: value >> 32)
    return send(command, destination: commandHigh)
  }

  /// The mode changes along §11.12.5, figure 11-27: off → xAPIC → x2APIC → off; xAPIC may also go off.
  ///
  /// Going off, the APIC forgets its state. The boot processor's mark is not the guest's to move.
  private mutating func writeBase(_ value: Base) throws(LocalAPICFault) {
    guard value.rawValue & ~(Base.flags | addressMask) == 0 else { throw .generalProtection }
    let isOn = value.contains(.enabled)
    let extends = value.contains(.extended)
    // Extended but not enabled is no mode; and x2APIC mode is entered from xAPIC mode and left for none.
    if extends, !isOn { throw .generalProtection }
    if isOn, isExtended != extends, isExtended || !base.contains(.enabled) { throw .generalProtection }
    let wasOn = base.contains(.enabled)
    let enters = extends && !isExtended
    let mark = base & .bootProcessor
    base = Base(rawValue: value.rawValue & ~Base.bootProcessor.rawValue) | mark
    if wasOn, !isOn { reset() }
    // ICR's upper half is one of the few registers that the change clears (§11.12.5.1).
    if enters { commandHigh = 0 }
  }
}
