// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware

// One IOMMU of AMD's kind. The device table is common to all; a unit's own are two rings of 256 entries of 16 bytes, of
// commands and of events. Registers and tables are the state; this structure never changes.

/// One IOMMU: its registers and the pages that are its own.
struct AMDUnit: Sendable {
  let registers: PhysicalAddress
  /// What firmware says of how its requests are to travel.
  let travel: AMDControl
  let commands: PhysicalAddress
  let events: PhysicalAddress
  /// Where it stores that commands are done.
  let done: PhysicalAddress

  static var ringSize: UInt64 { 4096 }
  /// The rings' length in the registers: 2^8 entries.
  private static var ringLength: UInt64 { 8 << 56 }

  init<H: RemappingHost & ~Copyable>(_ unit: AMDRemappingUnit, _ host: inout H) throws(IOMMUError) {
    registers = unit.registers
    travel = AMDControl(travel: unit.flags)
    guard host.read(.control, of: registers) != .absent else { throw .missing }
    commands = try host.pages()
    events = try host.pages()
    done = try host.pages()
  }

  // MARK: - Bringing up

  func isOn<H: RemappingHost & ~Copyable>(_ host: borrowing H) -> Bool {
    host.read(.control, of: registers).contains(.translation | .commands)
  }

  /// Switches the unit on with a device table of `size` bytes.
  func enable<H: RemappingHost & ~Copyable>(
    deviceTable: PhysicalAddress, size: UInt64, _ host: borrowing H
  ) throws(IOMMUError) {
    // What firmware left on ends first; only then may the rings move (AMD I/O Virtualization 3.08, §3.4.1).
    host.write(.none, to: .control, of: registers)
    try host.wait { !host.read(.amdStatus, of: registers).intersects(.commandsRun | .eventLogRuns) }
    host.write(PlainWord(rawValue: deviceTable.value | (size / 4096 - 1)), to: .deviceTable, of: registers)
    host.write(PlainWord(rawValue: commands.value | Self.ringLength), to: .commandBuffer, of: registers)
    host.write(PlainWord(rawValue: events.value | Self.ringLength), to: .eventLog, of: registers)
    host.write(.none, to: .commandHead, of: registers)
    host.write(.none, to: .commandTail, of: registers)
    host.write(.none, to: .eventHead, of: registers)
    host.write(.none, to: .eventTail, of: registers)
    // No memory is exempt.
    host.write(.none, to: .exclusionBase, of: registers)
    host.write(.overflow | .eventInterrupt, to: .amdStatus, of: registers)
    let control = travel | .coherent | .commands | .eventLog
    host.write(control, to: .control, of: registers)
    host.write(control | .translation, to: .control, of: registers)
    try forgetAll(host)
  }

  private func forgetAll<H: RemappingHost & ~Copyable>(_ host: borrowing H) throws(IOMMUError) {
    guard !host.read(.amdExtensions, of: registers).contains(.invalidatesAll) else {
      return try carryOut(host, AMDCommand.all)
    }
    for device in UInt16.min ... .max { try carryOut(host, AMDCommand.deviceEntry(device)) }
    try carryOut(host, AMDCommand.pages(of: 0), AMDCommand.everyPage)
  }

  // MARK: - Commands

  /// Has a command carried out, and waits for it; nothing to forget before the unit is on.
  func carryOut<H: RemappingHost & ~Copyable>(
    _ host: borrowing H, _ low: UInt64, _ high: UInt64 = 0
  ) throws(IOMMUError) {
    guard isOn(host) else { return }
    host.write(0, at: done)
    append(low, high, host)
    append(AMDCommand.wait(done.value), 1, host)
    try host.wait { host.read(done) != 0 }
  }

  /// Puts one command into the ring; whoever waits for each keeps it from filling up.
  private func append<H: RemappingHost & ~Copyable>(_ low: UInt64, _ high: UInt64, _ host: borrowing H) {
    let tail = host.read(.commandTail, of: registers).rawValue & (Self.ringSize - 16)
    host.write(low, at: commands + tail)
    host.write(high, at: commands + tail + 8)
    host.write(PlainWord(rawValue: (tail + 16) & (Self.ringSize - 1)), to: .commandTail, of: registers)
  }

  // MARK: - Events

  /// The next event; its place in the ring is free again.
  func nextFault<H: RemappingHost & ~Copyable>(_ host: borrowing H) -> DMAFault? {
    host.write(.eventInterrupt, to: .amdStatus, of: registers)
    let head = host.read(.eventHead, of: registers).rawValue & (Self.ringSize - 16)
    guard head != host.read(.eventTail, of: registers).rawValue & (Self.ringSize - 16) else {
      return restartLog(host)
    }
    let low = host.read(events + head)
    // The tail may move before the event is there: then it is for the next time.
    guard low >> 60 != 0 else { return nil }
    let fault = DMAFault(event: low, host.read(events + head + 8))
    host.write(0, at: events + head)
    host.write(PlainWord(rawValue: (head + 16) & (Self.ringSize - 1)), to: .eventHead, of: registers)
    return fault
  }

  /// A ring that ran full stands still until it is switched on again (§2.5.2).
  private func restartLog<H: RemappingHost & ~Copyable>(_ host: borrowing H) -> DMAFault? {
    guard host.read(.amdStatus, of: registers).contains(.overflow) else { return nil }
    let control = host.read(.control, of: registers)
    var without = control
    without.remove(.eventLog)
    host.write(without, to: .control, of: registers)
    host.write(.overflow, to: .amdStatus, of: registers)
    host.write(control, to: .control, of: registers)
    return DMAFault(source: nil, address: 0, isWrite: false, reason: .unrecorded, code: 0)
  }

  /// Whether the unit sends the message of its own PCI function for each event.
  func signalEvents<H: RemappingHost & ~Copyable>(_ isOn: Bool, _ host: borrowing H) {
    var control = host.read(.control, of: registers)
    control.set(.eventInterrupt, to: isOn)
    host.write(control, to: .control, of: registers)
  }
}

extension AMDControl {
  /// From the flags of an IVHD (§5.2.2.1).
  init(travel flags: UInt8) {
    self = .none
    set(.tunnel, to: flags & 1 != 0)
    set(.passPosted, to: flags & 2 != 0)
    set(.passPostedAnswers, to: flags & 4 != 0)
    set(.isochronous, to: flags & 8 != 0)
  }
}

extension DMAFault {
  /// An event: sender, flags and code in the lower word, the address in the upper.
  init(event low: UInt64, _ high: UInt64) {
    code = UInt8(truncatingIfNeeded: low >> 60)
    let isOfDevice = code != AMDEvent.badCommand && code != AMDEvent.commandError && code != AMDEvent.timedOut
    source = isOfDevice ? FunctionAddress(requester: UInt16(truncatingIfNeeded: low)) : nil
    let isInterrupt = low & AMDEvent.isInterrupt != 0
    address = isInterrupt ? 0 : high
    isWrite = low & AMDEvent.isWrite != 0
    switch code {
    case AMDEvent.pageFault where isInterrupt: reason = .badInterrupt
    // In the domain of those that belong to nobody.
    case AMDEvent.pageFault: reason = low.bits(32, count: 16) == 0 ? .notAttached : .notMapped
    case AMDEvent.badDeviceEntry, AMDEvent.deviceTableError, AMDEvent.pageTableError: reason = .badTables
    case AMDEvent.badCommand, AMDEvent.commandError, AMDEvent.timedOut: reason = .badCommand
    default: reason = .badRequest
    }
  }
}
