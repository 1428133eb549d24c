// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// One IOMMU of Intel's kind, brought up so that no device reaches anything until it is attached:
//
//   1. what firmware left on is switched off: translation, interrupt remapping, queue (VT-d 4.1, §11.4.4)
//   2. root table, queue and interrupt table are told, all caches emptied
//   3. interrupt remapping, then translation, are switched on; memory kept from devices by other means is let go
//
// Afterwards the registers and tables are the state; this structure never changes.

/// One IOMMU: its registers and the pages that are its own.
struct IntelUnit: Sendable {
  let registers: PhysicalAddress
  let segment: UInt16
  let hasAllOthers: Bool
  /// Positions of its devices in the table of scopes.
  let scopes: Range<Int>
  let capabilities: IntelCapabilities
  let extensions: IntelExtensions
  let root: PhysicalAddress
  let queue: PhysicalAddress

  /// Entries of the queue: a page of 16 bytes each.
  static var queueLength: UInt64 { 256 }

  init<H: RemappingHost & ~Copyable>(
    at registers: PhysicalAddress, segment: UInt16, hasAllOthers: Bool, scopes: Range<Int>, _ host: inout H
  ) throws(IOMMUError) {
    self.registers = registers
    self.segment = segment
    self.hasAllOthers = hasAllOthers
    self.scopes = scopes
    capabilities = host.read(.capabilities, of: registers)
    extensions = host.read(.extensions, of: registers)
    guard capabilities != .absent, capabilities != .none, host.read(.version, of: registers) != .none else {
      throw .missing
    }
    guard extensions.contains(.queue) else { throw .noQueuedInvalidation }
    root = try host.pages()
    // The second page is for the word that says that commands are done.
    queue = try host.pages(2)
    if !extensions.contains(.coherent) { host.flush(root, count: 4096) }
  }

  private var doneWord: PhysicalAddress { queue + 4096 }

  // MARK: - Bringing up

  /// Whether the unit does what it is told here.
  func isOn<H: RemappingHost & ~Copyable>(_ host: borrowing H) -> Bool {
    host.read(.status, of: registers).contains(.queue | .translation)
  }

  /// Switches all on; `interruptTable` as the register wants it, or `nil` for interrupts that are not remapped.
  func enable<H: RemappingHost & ~Copyable>(
    interruptTable: UInt64?, _ host: borrowing H
  ) throws(IOMMUError) {
    try quiesce(host)
    forgetFaults(host)
    try flushWrites(host)
    host.write(PlainWord(rawValue: root.value), to: .rootTable, of: registers)
    try command(.setRoot, host)
    // The queue begins at entry 0, where both ends are after it was off (§6.5.2).
    host.write(.none, to: .queueTail, of: registers)
    host.write(PlainWord(rawValue: queue.value), to: .queueAddress, of: registers)
    try command(.queue, host)
    try invalidate(host, IntelDescriptor.everyContext)
    try invalidate(host, draining(IntelDescriptor.everyTranslation))
    if let interruptTable {
      host.write(PlainWord(rawValue: interruptTable), to: .interruptTable, of: registers)
      try command(.setInterruptTable, host)
      try invalidate(host, IntelDescriptor.everyInterrupt)
      try command(.interrupts, host)
    }
    try command(.translation, host)
    try releaseProtection(host)
  }

  private func quiesce<H: RemappingHost & ~Copyable>(_ host: borrowing H) throws(IOMMUError) {
    try switchOff(.translation, host)
    try switchOff(.interrupts, host)
    try switchOff(.legacyInterrupts, host)
    if host.read(.status, of: registers).contains(.queue) {
      // What is on its way must end first (§6.5.2).
      try host.wait { host.read(.queueHead, of: registers) == host.read(.queueTail, of: registers) }
    }
    try switchOff(.queue, host)
  }

  /// Translation does what these regions were for, and better (§7.2).
  private func releaseProtection<H: RemappingHost & ~Copyable>(_ host: borrowing H) throws(IOMMUError) {
    guard capabilities.intersects(.protectsLow | .protectsHigh) else { return }
    host.write(.none, to: .protection, of: registers)
    try host.wait { !host.read(.protection, of: registers).contains(.active) }
  }

  /// Does `once` or switches it on; one thing at a time (§11.4.4).
  private func command<H: RemappingHost & ~Copyable>(
    _ once: IntelCommand, _ host: borrowing H
  ) throws(IOMMUError) {
    let lasting = host.read(.status, of: registers) & .lasting
    host.write(lasting | once, to: .command, of: registers)
    try host.wait { host.read(.status, of: registers).contains(once) }
  }

  private func switchOff<H: RemappingHost & ~Copyable>(
    _ bits: IntelCommand, _ host: borrowing H
  ) throws(IOMMUError) {
    var lasting = host.read(.status, of: registers) & .lasting
    guard lasting.intersects(bits) else { return }
    lasting.remove(bits)
    host.write(lasting, to: .command, of: registers)
    try host.wait { !host.read(.status, of: registers).intersects(bits) }
  }

  /// §6.8
  private func flushWrites<H: RemappingHost & ~Copyable>(_ host: borrowing H) throws(IOMMUError) {
    guard capabilities.contains(.flushesWrites) else { return }
    let lasting = host.read(.status, of: registers) & .lasting
    host.write(lasting | .flushWrites, to: .command, of: registers)
    try host.wait { !host.read(.status, of: registers).contains(.flushWrites) }
  }

  // MARK: - Caches

  /// Makes the unit forget what the descriptor names; nothing to forget before it is on.
  func invalidate<H: RemappingHost & ~Copyable>(
    _ host: borrowing H, _ descriptor: UInt64
  ) throws(IOMMUError) {
    guard host.read(.status, of: registers).contains(.queue) else { return }
    try flushWrites(host)
    host.write(0, at: doneWord)
    append(descriptor, 0, host)
    append(IntelDescriptor.wait, doneWord.value, host)
    try host.wait {
      host.read(doneWord) != 0 || host.read(.faultStatus, of: registers).intersects(.queueErrors)
    }
    guard host.read(doneWord) == 0 else { return }
    // The bits are cleared so that the queue may go on.
    host.write(.queueErrors, to: .faultStatus, of: registers)
    throw .invalidationFailed
  }

  /// The descriptor for translations, with what the unit can do so that nothing old is still on its way.
  func draining(_ descriptor: UInt64) -> UInt64 {
    descriptor | (capabilities.contains(.drainsWrites) ? IntelDescriptor.drainWrites : 0)
      | (capabilities.contains(.drainsReads) ? IntelDescriptor.drainReads : 0)
  }

  /// Puts one descriptor into the queue; whoever waits for each keeps it from filling up.
  private func append<H: RemappingHost & ~Copyable>(_ low: UInt64, _ high: UInt64, _ host: borrowing H) {
    let tail = host.read(.queueTail, of: registers).rawValue & (Self.queueLength * 16 - 16)
    host.write(high, at: queue + tail + 8)
    host.write(low, at: queue + tail)
    if !extensions.contains(.coherent) { host.flush(queue + tail, count: 16) }
    let next = (tail + 16) & (Self.queueLength * 16 - 1)
    host.write(PlainWord(rawValue: next), to: .queueTail, of: registers)
  }
}
