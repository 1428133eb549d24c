// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

// What hardware says of an error, and how bad that is. The rest of the kernel never looks at a bit of it.

/// How bad an error is, in the order of what must be done about it.
package enum MachineCheckSeverity: Int, Comparable, Sendable {
  /// The bank holds none.
  case none
  /// Hardware has mended it.
  case corrected
  /// Something is broken, and nobody has used it yet: a later use is another error.
  case waiting
  /// What was interrupted must not go on with what it was doing; all else can.
  case consumed
  /// Nothing is sure any more.
  case fatal

  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What a processor says of its banks, as far as it differs from others.
package struct MachineCheckRules: Sendable {
  package let capability: MachineCheckCapability
  package let isAMD: Bool
  /// (AMD) CPUID 8000_0007h EBX: an overflow loses nothing that matters, and errors can be contained in software.
  package let survivesOverflow: Bool
  package let containsErrors: Bool

  package init(capability: UInt64, isAMD: Bool, recovery: UInt32) {
    self.capability = MachineCheckCapability(rawValue: capability)
    self.isAMD = isAMD
    survivesOverflow = recovery & 1 << 0 != 0
    containsErrors = recovery & 1 << 1 != 0
  }
}

/// A bank of error registers as it was read (Intel SDM volume 3, chapter 16; AMD APM volume 2, chapter 9).
package struct MachineCheckBank: BitwiseCopyable, Sendable {
  package let number: Int
  package let status: MachineCheckStatus
  private let addressRegister: UInt64
  private let more: UInt64

  /// Reads bank `number`: address and the rest only where they say something.
  package init(_ number: Int, read: (UInt32) -> UInt64) {
    self.number = number
    let status = MachineCheckStatus(rawValue: read(MachineCheckRegister.status(number)))
    let isValid = status.contains(.isValid)
    self.status = status
    addressRegister = isValid && status.contains(.hasAddress) ? read(MachineCheckRegister.address(number)) : 0
    more = isValid && status.contains(.hasMore) ? read(MachineCheckRegister.more(number)) : 0
  }

  package func severity(_ rules: MachineCheckRules) -> MachineCheckSeverity {
    guard status.contains(.isValid) else { return .none }
    if rules.isAMD, status.contains(.isDeferred), !status.contains(.isContextLost) { return .waiting }
    guard status.contains(.isUncorrected) else { return .corrected }
    if status.contains(.isContextLost) { return .fatal }
    return rules.isAMD ? severityOfAMD(rules) : severityOfIntel(rules)
  }

  /// Intel SDM volume 3, table 16-6 and §16.10.4.
  private func severityOfIntel(_ rules: MachineCheckRules) -> MachineCheckSeverity {
    guard rules.capability.contains(.hasRecovery) else { return .fatal }
    guard status.contains(.isSignalled), status.contains(.needsAction) else { return .waiting }
    return status.contains(.hasOverflowed) ? .fatal : .consumed
  }

  /// AMD APM volume 2, §9.3.3.
  private func severityOfAMD(_ rules: MachineCheckRules) -> MachineCheckSeverity {
    guard rules.containsErrors, !status.contains(.hasOverflowed) || rules.survivesOverflow else { return .fatal }
    return .consumed
  }

  /// The physical address of the memory that is broken, and how many bytes of it; `nil` if the bank does not say.
  package func memory(_ rules: MachineCheckRules) -> (address: PhysicalAddress, size: UInt64)? {
    guard status.contains(.isValid), status.contains(.hasAddress) else { return nil }
    guard rules.isAMD else {
      // MISC: bits 0-5 the lowest bit that counts, 6-8 the kind, of which 2 is physical.
      guard status.contains(.hasMore), more.bits(6, count: 3) == 2 else { return nil }
      let shift = more.bits(0, count: 6)
      guard shift < 52 else { return nil }
      return (PhysicalAddress((addressRegister & 0xf_ffff_ffff_ffff) & ~((1 << shift) - 1)), 1 << shift)
    }
    // A controller's own address is none of the machine's; that of poison which was used is.
    guard status.contains(.isPoison), !status.contains(.isDeferred) else { return nil }
    return (PhysicalAddress(addressRegister & 0xf_ffff_ffff_ffc0), 64)
  }

  // MARK: - In words

  /// "machine check on core 1, bank 5: memory read, uncorrected".
  package func line(core: Int, _ rules: MachineCheckRules) -> LogLine {
    var line: LogLine = "machine check on core \(core), bank \(number): \(source), \(word(severity(rules)))"
    if status.contains(.hasOverflowed) { line.appendLiteral(", others lost") }
    return line
  }

  /// "  status 0x…, address 0x…, misc 0x…".
  package var registers: LogLine {
    var line: LogLine = "  status \(hex: status.rawValue)"
    if status.contains(.hasAddress) { line.appendInterpolation(", address \(hex: addressRegister)" as LogLine) }
    if status.contains(.hasMore) { line.appendInterpolation(", misc \(hex: more)" as LogLine) }
    return line
  }

  private func word(_ severity: MachineCheckSeverity) -> StaticString {
    switch severity {
    case .none: "no error"
    case .corrected: "corrected"
    case .waiting: "uncorrected, not yet used"
    case .consumed: "uncorrected"
    case .fatal: "uncorrected, the processor's state is lost"
    }
  }

  /// What failed (Intel SDM volume 3, §16.9; AMD APM volume 2, §9.3.2.1: the codes are the same).
  private var source: StaticString {
    // Bit 12 only says that some corrected errors are not counted.
    let code = status.code & ~(1 << 12)
    if code & 0xf800 == 0x0800 { return "bus or interconnect" }
    if code & 0xff80 == 0x0080 || code & 0xff80 == 0x0280 { return memoryWord(code) }
    if code & 0xff00 == 0x0100 { return "cache" }
    if code & 0xfff0 == 0x0010 { return "translation cache" }
    if code & 0xfffc == 0x000c { return "cache hierarchy" }
    switch code {
    case 0: return "no kind given"
    case 1: return "unclassified"
    case 2: return "microcode"
    case 3: return "external"
    case 4: return "redundancy check"
    case 5: return "internal parity"
    case 0x400: return "internal timer"
    default: return code & 0xfc00 == 0x0400 ? "internal" : "unknown kind"
    }
  }

  private func memoryWord(_ code: UInt64) -> StaticString {
    switch code.bits(4, count: 3) {
    case 1: "memory read"
    case 2: "memory write"
    case 3: "memory address or command"
    case 4: "memory scrubbing"
    default: "memory"
    }
  }
}
