// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The words of the vCPU that model-specific registers are a window to.
package struct ProcessorWords: Equatable, Sendable {
  package var cr0: UInt64
  package var efer: UInt64
  package var pat: UInt64
  /// Added to the machine's time-stamp counter to make the guest's.
  package var tscOffset: UInt64
  /// The machine's time-stamp counter now.
  package var machineTSC: UInt64

  package init(cr0: UInt64, efer: UInt64, pat: UInt64, tscOffset: UInt64, machineTSC: UInt64) {
    self.cr0 = cr0
    self.efer = efer
    self.pat = pat
    self.tscOffset = tscOffset
    self.machineTSC = machineTSC
  }
}

/// What a RDMSR that exits is to do.
package enum MSRRead: Equatable, Sendable {
  case value(UInt64)
  /// A general-protection fault with error code 0, as from a processor that has no such register.
  case injectGP
  /// The local APIC's register at this offset of its page.
  case apic(UInt32)
  case apicBase
  case tscDeadline
  /// What was last accepted from the guest.
  case kvmClock
  case kvmWallClock
  case kvmEndOfInterrupt
}

/// What a WRMSR that exits is to do.
package enum MSRWrite: Equatable, Sendable {
  /// Nothing more.
  case handled
  case injectGP
  /// The guest's time-stamp counter jumped: what was computed from it (the paravirtual clock, a deadline) is to be
  /// computed anew.
  case tscMoved
  /// The local APIC's register at this offset of its page.
  case apic(UInt32, UInt64)
  case apicBase(UInt64)
  case tscDeadline(UInt64)
  case kvmClock(UInt64)
  case kvmWallClock(UInt64)
  case kvmEndOfInterrupt(UInt64)
}

/// The model-specific registers of one vCPU that are not the processor's own.
///
/// A register that is not here faults, as on a processor without it: Linux reads what it is not sure of in a way that
/// expects this. Registers that Linux reads without asking are here.
package struct MSRPolicy: Equatable, Sendable {
  private var memoryTypes: MemoryTypeRegisters
  private let architecturalCapabilities: UInt64
  private var tscAdjust: UInt64 = 0
  private var miscEnable: UInt64 = 1 | 1 << 11 | 1 << 12
  private var systemConfiguration: UInt64 = 0
  private var hardwareConfiguration: UInt64 = Self.tscCountsAtP0
  private var northBridge: UInt64 = 0
  private var decodeConfiguration: UInt64 = 0

  /// How often the guest asked for a register that is not here.
  package private(set) var unknownCount: UInt64 = 0
  /// The last of them.
  package private(set) var lastUnknown: UInt32 = 0

  /// - Parameters:
  ///   - physicalAddressBits: as CPUID says it to the guest.
  ///   - deviceHole: where the devices below 4 GiB begin; a power of two below 4 GiB.
  ///   - architecturalCapabilities: what IA32_ARCH_CAPABILITIES reads; 0 if there is no such register.
  package init(
    physicalAddressBits: Int, deviceHole: UInt64 = 0xc000_0000, architecturalCapabilities: UInt64 = 0
  ) {
    self.architecturalCapabilities = architecturalCapabilities
    memoryTypes = MemoryTypeRegisters(physicalAddressBits: physicalAddressBits, deviceHole: deviceHole)
  }

  /// HWCR.TscFreqSel: without it Linux complains of the firmware.
  private static var tscCountsAtP0: UInt64 { 1 << 24 }
  /// BTS and PEBS unavailable: read-only bits of MISC_ENABLE.
  private static var noSampling: UInt64 { 1 << 11 | 1 << 12 }
  /// The revision where Intel keeps it and where AMD keeps it; a guest loads none.
  private static var microcode: UInt64 { 1 << 32 | 0x0100_0065 }

  // MARK: - Reading

  package mutating func read(_ number: UInt32, _ words: ProcessorWords) -> MSRRead {
    if number & 0xffff_ff00 == MSRNumber.x2APIC { return .apic((number & 0xff) << 4) }
    if let value = memoryTypes.read(number) { return .value(value) }
    switch number {
    case MSRNumber.timeStampCounter: return .value(words.machineTSC &+ words.tscOffset)
    case MSRNumber.tscAdjust: return .value(tscAdjust)
    case MSRNumber.apicBase: return .apicBase
    case MSRNumber.tscDeadline: return .tscDeadline
    case MSRNumber.oldKVMClock, MSRNumber.kvmClock: return .kvmClock
    case MSRNumber.oldKVMWallClock, MSRNumber.kvmWallClock: return .kvmWallClock
    case MSRNumber.kvmEndOfInterrupt: return .kvmEndOfInterrupt
    case MSRNumber.extendedFeatures: return .value(words.efer)
    case MSRNumber.pageAttributes: return .value(words.pat)
    case MSRNumber.miscEnable: return .value(miscEnable)
    case MSRNumber.microcodeRevision: return .value(Self.microcode)
    case MSRNumber.architecturalCapabilities where architecturalCapabilities != 0:
      return .value(architecturalCapabilities)
    // Locked, with nothing allowed.
    case MSRNumber.featureControl: return .value(1)
    case MSRNumber.platformID, MSRNumber.machineCheckCapability, MSRNumber.machineCheckStatus,
      MSRNumber.debugControl, MSRNumber.topOfMemory, MSRNumber.topOfMemory2, MSRNumber.mmioConfigurationBase:
      return .value(0)
    case MSRNumber.performanceSelects...MSRNumber.performanceCounters + 3, MSRNumber.interruptPending:
      return .value(0)
    case MSRNumber.systemConfiguration: return .value(systemConfiguration)
    case MSRNumber.hardwareConfiguration: return .value(hardwareConfiguration)
    case MSRNumber.northBridge: return .value(northBridge)
    case MSRNumber.decodeConfiguration: return .value(decodeConfiguration)
    default: return unknown(number)
    }
  }

  private mutating func unknown(_ number: UInt32) -> MSRRead {
    noteUnknown(number)
    return .injectGP
  }

  // MARK: - Writing

  package mutating func write(_ number: UInt32, _ value: UInt64, _ words: inout ProcessorWords) -> MSRWrite {
    if number & 0xffff_ff00 == MSRNumber.x2APIC { return .apic((number & 0xff) << 4, value) }
    if let isAccepted = memoryTypes.write(number, value) { return isAccepted ? .handled : .injectGP }
    switch number {
    case MSRNumber.timeStampCounter:
      return moveTSC(by: value &- (words.machineTSC &+ words.tscOffset), &words)
    case MSRNumber.tscAdjust: return moveTSC(by: value &- tscAdjust, &words)
    case MSRNumber.apicBase: return .apicBase(value)
    case MSRNumber.tscDeadline: return .tscDeadline(value)
    case MSRNumber.oldKVMClock, MSRNumber.kvmClock: return .kvmClock(value)
    case MSRNumber.oldKVMWallClock, MSRNumber.kvmWallClock: return .kvmWallClock(value)
    case MSRNumber.kvmEndOfInterrupt: return .kvmEndOfInterrupt(value)
    case MSRNumber.extendedFeatures: return writeEFER(value, &words)
    case MSRNumber.pageAttributes: return writePAT(value, &words)
    default: return writePlain(number, value)
    }
  }

  /// Registers that are kept and have no effect.
  private mutating func writePlain(_ number: UInt32, _ value: UInt64) -> MSRWrite {
    switch number {
    case MSRNumber.miscEnable: miscEnable = value & ~Self.noSampling | Self.noSampling
    case MSRNumber.systemConfiguration: systemConfiguration = value
    case MSRNumber.hardwareConfiguration: hardwareConfiguration = value | Self.tscCountsAtP0
    case MSRNumber.northBridge: northBridge = value
    case MSRNumber.decodeConfiguration: decodeConfiguration = value
    // Written before the revision is read (Intel SDM volume 3A, §9.11.7).
    case MSRNumber.microcodeRevision: break
    case MSRNumber.machineCheckStatus, MSRNumber.debugControl:
      guard value == 0 else { return .injectGP }
    // The counters count nothing, as on a machine whose events never happen.
    case MSRNumber.performanceSelects...MSRNumber.performanceCounters + 3, MSRNumber.interruptPending: break
    // Read-only, or locked.
    case MSRNumber.platformID, MSRNumber.machineCheckCapability, MSRNumber.featureControl,
      MSRNumber.architecturalCapabilities,
      MSRNumber.topOfMemory, MSRNumber.topOfMemory2, MSRNumber.mmioConfigurationBase:
      return .injectGP
    default:
      noteUnknown(number)
      return .injectGP
    }
    return .handled
  }

  /// The counter and its adjustment move together (Intel SDM volume 3B, §18.17.3).
  private mutating func moveTSC(by distance: UInt64, _ words: inout ProcessorWords) -> MSRWrite {
    tscAdjust = tscAdjust &+ distance
    words.tscOffset = words.tscOffset &+ distance
    return distance == 0 ? .handled : .tscMoved
  }

  /// EFER (AMD APM volume 2, §3.1.7): SCE, LME and NXE are the guest's; LMA follows from the others.
  private func writeEFER(_ value: UInt64, _ words: inout ProcessorWords) -> MSRWrite {
    let longModeEnable: UInt64 = 1 << 8
    let longModeActive: UInt64 = 1 << 10
    let writable = 1 | longModeEnable | 1 << 11
    guard value & ~(writable | longModeActive) == 0 else { return .injectGP }
    let isPaging = words.cr0 & 1 << 31 != 0
    guard !isPaging || (value ^ words.efer) & longModeEnable == 0 else { return .injectGP }
    words.efer = value & writable | words.efer & longModeActive
    return .handled
  }

  /// Types 2, 3 and above 7 are reserved (Intel SDM volume 3A, §11.12.2).
  private func writePAT(_ value: UInt64, _ words: inout ProcessorWords) -> MSRWrite {
    for index in 0..<8 {
      let type = value >> UInt64(index * 8) & 0xff
      guard type < 8, type != 2, type != 3 else { return .injectGP }
    }
    words.pat = value
    return .handled
  }

  private mutating func noteUnknown(_ number: UInt32) {
    unknownCount &+= 1
    lastUnknown = number
  }
}
