// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

// A tick in one exit. Linux re-arms the local APIC's one-shot timer in every tick's handler, by a store to the
// registers' page; trapped, that store is a second exit besides the HLT. So with the timer's interrupt the guest is
// shown a page of plain memory in place of the registers, and what it stored there is found at the next exit:
//
//   hidden ──the timer's interrupt is offered, nothing else waits──► shown ──any exit, or time──► hidden
//      ▲                                                                                            │
//      └── a count was found, or none for long ──────── shown again until then, as nothing else waits ◄┘
//
// While shown, registers hold what they would read as, except count, end of interrupt and message, whose writing counts
// even with an equal value: they hold a mark that no guest writes. When to look at a guest that does not leave is
// `LocalAPICPageSchedule`'s affair.

/// The page of memory that a guest sees for a moment in place of its local APIC's registers.
@safe
package struct LocalAPICPage {
  /// Marks: the initial count of a timer that stands still is as good as 0; no message has bit 31; an end of interrupt
  /// is written as 0.
  static var unwrittenCount: UInt32 { 0 }
  static var unwrittenEnd: UInt32 { 0xffff_ffff }
  static var unwrittenBit: UInt32 { 1 << 31 }

  private nonisolated(unsafe) let base: UnsafeMutableRawPointer

  /// - Precondition: `base` is a page of memory, mapped for as long as this value is used.
  package init(unsafeBase base: UnsafeMutableRawPointer) {
    unsafe self.base = base
  }

  /// The register at `offset`, a multiple of four below 4096.
  subscript(_ offset: UInt32) -> UInt32 {
    // SAFETY: the masked offset lies inside the page; the guest may write at any time, so accesses are atomic.
    get { unsafe word(offset).pointee.load(ordering: .relaxed) }
    nonmutating set { unsafe word(offset).pointee.store(newValue, ordering: .relaxed) }
  }

  private func word(_ offset: UInt32) -> UnsafeMutablePointer<Atomic<UInt32>> {
    // SAFETY: as above.
    unsafe (base + Int(offset & 0xffc)).assumingMemoryBound(to: Atomic<UInt32>.self)
  }
}

extension LocalAPIC {
  /// Whether `vector` is the interrupt of a timer whose re-arming is worth a page: one-shot, in memory, standing still.
  @inline(__always)
  func isOneShotTick(_ vector: UInt8) -> Bool {
    localTable.timer.vector == vector && hasOneShotEnded
  }

  /// Whether there is such a timer.
  @inline(__always)
  var hasOneShotEnded: Bool {
    let entry = localTable.timer
    return isInMemory && address == Self.defaultAddress && entry.timerMode == .oneShot && !entry.isMasked
      && timer.expiry == nil
  }

  /// Whether an interrupt in service came by a level-triggered line.
  var isServicingLevel: Bool { !inService.isDisjoint(with: levelTriggered) }

  /// Writes all registers into `page`, as they are once the processor has taken `vector`, if any.
  func fill(_ page: LocalAPICPage, taking vector: UInt8?) {
    page[Register.identity] = identity << 24
    page[Register.version] = Self.versionWord
    page[Register.taskPriority] = UInt32(taskPriority)
    page[Register.arbitrationPriority] = UInt32(vector.map { $0 & 0xf0 } ?? arbitrationPriority)
    page[Register.processorPriority] = UInt32(vector.map { max(taskPriority, $0 & 0xf0) } ?? processorPriority)
    page[Register.endOfInterrupt] = LocalAPICPage.unwrittenEnd
    page[Register.logicalDestination] = logicalDestination
    page[Register.destinationFormat] = destinationFormat
    page[Register.spurious] = spurious.rawValue
    var serviced = inService
    var requested = requests
    if let vector {
      serviced.insert(vector)
      requested.remove(vector)
    }
    for index in UInt32(0)..<8 {
      page[Register.inService + index * 16] = serviced.register(index)
      page[Register.triggerMode + index * 16] = levelTriggered.register(index)
      page[Register.requests + index * 16] = requested.register(index)
    }
    page[Register.errors] = errors.rawValue
    page[Register.command] = command.rawValue | LocalAPICPage.unwrittenBit
    page[Register.commandHigh] = commandHigh
    for index in 0..<LocalEntry.count {
      if let entry = LocalEntry(rawValue: index) { page[entry.register] = localTable[entry].rawValue }
    }
    page[Register.initialCount] = LocalAPICPage.unwrittenCount
    page[Register.currentCount] = 0
    page[Register.divide] = timer.divide
  }

  /// Nanoseconds that the timer would run by what the guest stored in `page`; `nil` if it stored no count.
  @inline(__always)
  func storedWait(in page: LocalAPICPage) -> UInt64? {
    let count = page[Register.initialCount]
    return count == LocalAPICPage.unwrittenCount ? nil : UInt64(count) &* timer.divisor
  }

  /// Carries out what the guest stored in `page` since `fill`, in an order that makes each store mean what it would
  /// have meant; a count runs from `now`. Of two messages only the last is found: with one vCPU they can only go to the guest itself.
  mutating func takeWrites(in page: LocalAPICPage, now: UInt64) -> Effect {
    var effect = Effect.none
    if page[Register.endOfInterrupt] != LocalAPICPage.unwrittenEnd { effect = endedByWrite() }
    takeChange(of: Register.taskPriority, from: UInt32(taskPriority), in: page, now)
    takeChange(of: Register.logicalDestination, from: logicalDestination, in: page, now)
    takeChange(of: Register.destinationFormat, from: destinationFormat, in: page, now)
    takeChange(of: Register.spurious, from: spurious.rawValue, in: page, now)
    takeChange(of: Register.errors, from: errors.rawValue, in: page, now)
    takeChange(of: Register.commandHigh, from: commandHigh, in: page, now)
    takeChange(of: Register.command, from: command.rawValue | LocalAPICPage.unwrittenBit, in: page, now)
    for index in 0..<LocalEntry.count {
      guard let entry = LocalEntry(rawValue: index) else { continue }
      takeChange(of: entry.register, from: localTable[entry].rawValue, in: page, now)
    }
    takeChange(of: Register.divide, from: timer.divide, in: page, now)
    takeChange(of: Register.initialCount, from: LocalAPICPage.unwrittenCount, in: page, now)
    return effect
  }

  private mutating func takeChange(of register: UInt32, from old: UInt32, in page: LocalAPICPage, _ now: UInt64) {
    let value = page[register]
    guard value != old else { return }
    _ = write(offset: register, value: value, now: now)
  }
}
