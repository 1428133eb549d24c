// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What becomes of a RDMSR.
package enum MSRValue: Equatable, Sendable {
  case value(UInt64)
  /// There is no such register: a general-protection fault.
  case injectGP
}

/// What becomes of a WRMSR.
package enum MSRAcceptance: Equatable, Sendable {
  case accepted
  /// There is no such register, or it does not take this value: a general-protection fault.
  case injectGP
}

extension PC {
  /// CPUID; `machine` answers for the processor below.
  package mutating func cpuid(
    leaf: UInt32, subleaf: UInt32, cr4: UInt64, xcr0: UInt64,
    machine: (_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDAnswer
  ) -> CPUIDAnswer {
    facts.cr4 = cr4
    facts.xcr0 = xcr0
    facts.hasLocalAPIC = apic.isSwitchedOn
    return CPUIDPolicy(facts).answer(leaf: leaf, subleaf: subleaf, machine: machine)
  }

  /// The answer, in RAX, to all of KVM's hypercalls: ENOSYS, as none of those that Linux makes is announced.
  package static var unknownHypercall: UInt64 { UInt64(bitPattern: -1000) }

  // MARK: - Model-specific registers

  /// RDMSR. `words.machineTSC` is the counter at the time that `advance(to:)` was last told.
  package mutating func readMSR(_ number: UInt32, _ words: ProcessorWords) -> MSRValue {
    switch registers.read(number, words) {
    case .value(let value): return .value(value)
    case .injectGP: return .injectGP
    case .apic, .apicBase, .tscDeadline:
      do throws(LocalAPICFault) { return .value(try apic.readMSR(number, now: now)) } catch { return .injectGP }
    case .kvmClock: return .value(paravirtualClock.register)
    case .kvmWallClock: return .value(paravirtualClock.wallRegister)
    case .kvmEndOfInterrupt: return .value(paravirtualEOI.register)
    }
  }

  /// WRMSR; `words` changes as the register says.
  package mutating func writeMSR(
    _ number: UInt32, _ value: UInt64, _ words: inout ProcessorWords
  ) -> MSRAcceptance {
    let write = registers.write(number, value, &words)
    let reading = reading(words)
    switch write {
    case .handled: return .accepted
    case .injectGP: return .injectGP
    case .tscMoved:
      scheduleTSCDeadline(reading.tsc)
      return acceptance { pc throws(ParavirtualError) in
        try pc.paravirtualClock.refresh(reading, in: pc.memory)
      }
    case .apic, .apicBase, .tscDeadline: return writeLocalAPIC(number, value, tsc: reading.tsc)
    case .kvmClock(let value):
      return acceptance { pc throws(ParavirtualError) in
        try pc.paravirtualClock.setRegister(value, reading, in: pc.memory)
      }
    case .kvmWallClock(let value):
      return acceptance { pc throws(ParavirtualError) in
        try pc.paravirtualClock.setWallRegister(value, start: pc.clockSource.start, in: pc.memory)
      }
    case .kvmEndOfInterrupt(let value):
      return acceptance { pc throws(ParavirtualError) in
        try pc.paravirtualEOI.setRegister(value, in: pc.memory)
      }
    }
  }

  private mutating func acceptance(
    _ body: (inout PC) throws(ParavirtualError) -> Void
  ) -> MSRAcceptance {
    do throws(ParavirtualError) { try body(&self) } catch { return .injectGP }
    return .accepted
  }

  private mutating func writeLocalAPIC(_ number: UInt32, _ value: UInt64, tsc: UInt64) -> MSRAcceptance {
    do throws(LocalAPICFault) { carryOut(try apic.writeMSR(number, value: value, now: now)) } catch {
      return .injectGP
    }
    apicChanged()
    if number == MSRNumber.tscDeadline { scheduleTSCDeadline(tsc) }
    return .accepted
  }

  /// What the guest's clock shows now.
  private func reading(_ words: ProcessorWords) -> ClockReading {
    ClockReading(
      multiplier: clockSource.multiplier, shift: clockSource.shift, tsc: words.machineTSC &+ words.tscOffset,
      nanoseconds: now)
  }
}
