// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// A vector's way: `raise` puts it into the request register; once it outranks the processor priority it is
// `highestPending`; `accept`, when the processor takes it, moves it into service; `endOfInterrupt` ends the highest in
// service. A vector may wait in the request register while its predecessor is in service, so two of a kind are kept
// apart and a third merges with the second; of the timer's periodic ticks those that would merge are counted.

/// A vCPU's local APIC, in xAPIC and x2APIC mode (Intel SDM volume 3, chapter 11; AMD APM volume 2, chapter 16).
package struct LocalAPIC: Sendable {
  /// What a write asks of others.
  package enum Effect: Equatable, Sendable {
    case none
    /// The level-triggered interrupt of this vector has ended: tell the IOAPIC.
    case endOfInterrupt(UInt8)
    /// A message for other processors; what it meant for this one has been done.
    case interprocessor(InterprocessorInterrupt)
  }

  /// The pins of the processor that are part of the local vector table.
  package enum Pin: Sendable {
    case lint0, lint1
  }

  /// Where the registers are in memory at power-on.
  package static var defaultAddress: UInt64 { 0xfee0_0000 }

  let identity: UInt32
  /// The bits of an address that IA32_APIC_BASE takes: those that CPUID says the processor has.
  let addressMask: UInt64
  var base: Base
  var requests = VectorSet()
  var inService = VectorSet()
  /// Of the vectors above, those that came by a level-triggered line.
  var levelTriggered = VectorSet()
  var taskPriority: UInt8 = 0
  /// LDR bits 24 to 31 and DFR bits 28 to 31 of xAPIC mode, in place.
  var logicalDestination: UInt32 = 0
  var destinationFormat: UInt32 = 0xffff_ffff
  var spurious = Spurious(rawValue: 0xff)
  var errors = Errors.none
  /// Errors since ESR was last written, and whether the next one interrupts.
  var newErrors = Errors.none
  var interruptsOnError = true
  var command = Command.none
  var commandHigh: UInt32 = 0
  var localTable = LocalVectorTable()
  private var lint0 = false
  private var lint1 = false
  var timer = Timer()

  /// An NMI that the processor has not taken yet; whoever injects it clears this.
  package var hasNMI = false
  /// The time-stamp counter of the guest at which the timer fires; `nil` while that is not armed.
  package internal(set) var tscDeadline: UInt64?
  /// Periodic ticks that passed while one of them waited; each is delivered after an end of interrupt.
  package var timerBacklog: UInt64 = 0

  /// - Parameter physicalAddressBits: as CPUID says it to the guest, 36 to 52.
  package init(identity: UInt32, isBootProcessor: Bool, physicalAddressBits: Int = 52) {
    self.identity = identity
    addressMask = (1 << UInt64(min(max(physicalAddressBits, 36), 52)) - 1) & Base.address
    base = Base(rawValue: Self.defaultAddress) | .enabled
    if isBootProcessor { base.insert(.bootProcessor) }
  }

  /// As after power-on, with what is soldered to the processor.
  private init(resetting old: LocalAPIC) {
    identity = old.identity
    addressMask = old.addressMask
    base = Base(rawValue: Self.defaultAddress) | .enabled
  }

  /// The state in which a PC's firmware leaves the boot processor (MultiProcessor specification 1.4, §3.6.2.2): the
  /// 8259As' interrupts come through LINT0, NMIs through LINT1.
  package mutating func enterVirtualWireMode() {
    spurious.insert(.enabled)
    localTable.lint0 = LocalVector(rawValue: UInt32(DeliveryMode.external.rawValue) << 8)
    localTable.lint1 = LocalVector(rawValue: UInt32(DeliveryMode.nonMaskable.rawValue) << 8)
  }

  /// What INIT, or a time without APIC, leaves; identity and base stay (§11.4.7.3).
  mutating func reset() {
    let old = self
    self = LocalAPIC(resetting: old)
    base = old.base
    lint0 = old.lint0
    lint1 = old.lint1
  }

  // MARK: - Delivery

  /// Whether IA32_APIC_BASE says that there is one.
  var isSwitchedOn: Bool { base.contains(.enabled) }

  /// Whether it takes interrupts at all: enabled in IA32_APIC_BASE and in SVR.
  @inline(__always)
  package var isEnabled: Bool { base.contains(.enabled) && spurious.contains(.enabled) }

  /// An interrupt arrives. One that the APIC is not enabled for is lost, as in hardware.
  package mutating func raise(vector: UInt8, trigger: Trigger) {
    guard isEnabled else { return }
    guard vector >= 16 else {
      record(.receiveIllegalVector)
      return
    }
    requests.insert(vector)
    if trigger == .level { levelTriggered.insert(vector) } else { levelTriggered.remove(vector) }
  }

  /// The vector that the processor should take now: requested, and above the processor priority.
  @inline(__always)
  package func highestPending() -> UInt8? {
    guard isEnabled, let vector = requests.highest, vector & 0xf0 > processorPriority & 0xf0 else { return nil }
    return vector
  }

  /// The processor takes `vector`.
  @inline(__always)
  package mutating func accept(_ vector: UInt8) {
    requests.remove(vector)
    inService.insert(vector)
  }

  /// The interrupt in service of the highest priority has ended, by a write to EOI or a paravirtual way.
  /// → its vector if it was level-triggered, for the IOAPIC
  @inline(__always)
  package mutating func endOfInterrupt() -> UInt8? {
    guard let vector = inService.highest else { return nil }
    inService.remove(vector)
    return ended(vector) ? vector : nil
  }

  /// What follows from the end of `vector`. → whether it was level-triggered
  @inline(__always)
  mutating func ended(_ vector: UInt8) -> Bool {
    deliverBacklog(after: vector)
    return levelTriggered.contains(vector)
  }

  /// Whether some interrupt is in service.
  package var isServicing: Bool { !inService.isEmpty }

  /// Whether `vector` waits or is in service.
  package func isBusy(_ vector: UInt8) -> Bool { requests.contains(vector) || inService.contains(vector) }

  /// Whether the processor takes the 8259As' interrupts: through LINT0, or for want of an enabled APIC.
  @inline(__always)
  package var acceptsExternalInterrupts: Bool {
    guard base.contains(.enabled) else { return true }
    let entry = localTable.lint0
    return !entry.isMasked && entry.mode == .external
  }

  /// Sets a pin of the processor; its polarity and trigger bits are stored and otherwise ignored: the rise counts.
  ///
  /// LINT0 as ExtINT needs no call: `acceptsExternalInterrupts` says whether to ask the 8259As.
  package mutating func setLine(_ pin: Pin, isAsserted: Bool) {
    let wasAsserted = pin == .lint0 ? lint0 : lint1
    if pin == .lint0 { lint0 = isAsserted } else { lint1 = isAsserted }
    guard isAsserted, !wasAsserted else { return }
    if !base.contains(.enabled) {
      // Without an APIC the pin is the processor's NMI.
      if pin == .lint1 { hasNMI = true }
    } else {
      signal(pin == .lint0 ? .lint0 : .lint1)
    }
  }

  /// A local source interrupts as its entry of the local vector table says.
  mutating func signal(_ source: LocalEntry) {
    let entry = localTable[source]
    guard !entry.isMasked else { return }
    switch source == .timer || source == .error ? .fixed : entry.mode {
    case .fixed: raise(vector: entry.vector, trigger: .edge)
    case .nonMaskable: hasNMI = true
    default: break
    }
  }

  /// Notes an error; the first one after each write to ESR interrupts (§11.5.3).
  mutating func record(_ error: Errors) {
    newErrors.insert(error)
    guard interruptsOnError else { return }
    interruptsOnError = false
    signal(.error)
  }

  // MARK: - Priorities

  /// PPR (§11.8.3.1).
  @inline(__always)
  package var processorPriority: UInt8 {
    let serviced = (inService.highest ?? 0) & 0xf0
    return taskPriority & 0xf0 >= serviced ? taskPriority : serviced
  }

  /// APR (AMD APM volume 2, §16.6.4).
  var arbitrationPriority: UInt8 {
    let requested = (requests.highest ?? 0) & 0xf0
    let serviced = (inService.highest ?? 0) & 0xf0
    if taskPriority & 0xf0 >= requested, taskPriority & 0xf0 > serviced { return taskPriority }
    return max(taskPriority & serviced, requested)
  }

  /// CR8: the upper half of the task priority (§11.8.6).
  package var cr8: UInt64 {
    get { UInt64(taskPriority >> 4) }
    set { taskPriority = UInt8(truncatingIfNeeded: newValue << 4) }
  }
}
