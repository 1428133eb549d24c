// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The interrupt lines that devices drive, by their ISA numbers.
enum Line: Int {
  case tick = 0
  case serial = 4
  case clock = 8
  case power = 9

  /// The I/O APIC's pin: IRQ 0 is on pin 2, as the MADT says.
  var pin: Int { self == .tick ? IOAPIC.timerPin : rawValue }
}

/// The interrupt that the guest was last offered.
enum Offer: Equatable {
  case none
  case local(UInt8)
  case external
}

extension PC {
  /// Sets a device's line at both interrupt controllers; which of them passes it on is the guest's affair.
  mutating func setLine(_ line: Line, isHigh: Bool) {
    let bit = UInt16(1) << UInt16(line.rawValue)
    guard (levels & bit != 0) != isHigh else { return }
    levels ^= bit
    controllers.setLine(line.rawValue, isHigh: isHigh)
    if let message = ioAPIC.setLine(line.pin, isHigh: isHigh) { deliver(message) }
  }

  /// The interrupt to deliver as soon as the guest can take one; call before each entry.
  package mutating func nextInterrupt() -> UInt8? {
    if owesTick { deliverTick() }
    guard apic.acceptsExternalInterrupts, controllers.hasInterrupt else {
      let vector = apic.highestPending()
      offer = vector.map { .local($0) } ?? .none
      prepareParavirtualEOI()
      if let vector { showLocalAPICPage(for: vector) }
      if awaitsCount, !showsLocalAPICPage { showLocalAPICPageAgain(with: vector) }
      return vector
    }
    offer = .external
    prepareParavirtualEOI()
    // The pair says which vector it is only by serving it: ask a copy.
    var copy = controllers
    return copy.acknowledge()
  }

  /// The guest has left; `tookInterrupt` says whether it took the interrupt it was last offered. Comes first after
  /// each exit.
  @inline(__always)
  package mutating func left(tookInterrupt: Bool) {
    if tookInterrupt {
      switch offer {
      case .local(let vector):
        noteTick(vector)
        apic.accept(vector)
      case .external: _ = controllers.acknowledge()
      case .none: break
      }
      offer = .none
    }
    if paravirtualEOI.isArmed, paravirtualEOI.takeEnd(in: memory) { endInterrupt() }
  }

  /// The vCPU's CR8, which is the local APIC's task priority: the processor keeps it while the guest runs.
  package var taskPriority: UInt64 {
    get { apic.cr8 }
    set { apic.cr8 = newValue }
  }

  // MARK: - The page in place of the local APIC

  /// Shows the page for the timer's interrupt if the guest will end that without the APIC.
  @inline(__always)
  private mutating func showLocalAPICPage(for vector: UInt8) {
    guard let page = localAPICPage, paravirtualEOI.isArmed, apic.isOneShotTick(vector) else { return }
    show(page, taking: vector, until: pageSchedule.show(at: now))
  }

  @inline(__always)
  private mutating func show(_ page: LocalAPICPage, taking vector: UInt8?, until look: UInt64) {
    apic.fill(page, taking: vector)
    showsLocalAPICPage = true
    deadlines.page = look
  }

  /// The guest has taken the interrupt of `vector`: if it is a tick, the timer's next count comes soon.
  @inline(__always)
  private mutating func noteTick(_ vector: UInt8) {
    guard localAPICPage != nil, apic.isOneShotTick(vector) else { return }
    awaitsCount = true
    if !showsLocalAPICPage { _ = pageSchedule.show(at: now) }
  }

  /// Shows the page once more in a tick that something interrupted, or that could not have it from the start: for the
  /// count that is still to come. Not while an end of interrupt at the APIC is waited for.
  private mutating func showLocalAPICPageAgain(with vector: UInt8?) {
    guard let page = localAPICPage, apic.hasOneShotEnded, let look = pageSchedule.look(after: now) else {
      awaitsCount = false
      return
    }
    guard vector == nil ? isNoEndAwaited : paravirtualEOI.isArmed else { return }
    show(page, taking: vector, until: look)
  }

  /// Whether it makes no difference when the guest's next end of interrupt is heard of.
  private var isNoEndAwaited: Bool {
    apic.requests.isEmpty && !apic.isServicingLevel && !owesTick && apic.timerBacklog == 0
  }

  /// Hides the page after an exit and does what the guest stored in it.
  @inline(__always)
  mutating func hideLocalAPICPage() {
    guard showsLocalAPICPage, let page = localAPICPage else { return }
    showsLocalAPICPage = false
    let wait = apic.storedWait(in: page)
    if wait != nil || now >= deadlines.page { awaitsCount = false }
    deadlines.page = .max
    let start = pageSchedule.hide(at: now, found: wait)
    carryOut(apic.takeWrites(in: page, now: start))
    apicChanged()
  }

  // MARK: - Ends of interrupts

  /// The guest ended the interrupt in service by its paravirtual word.
  private mutating func endInterrupt() {
    if let vector = apic.endOfInterrupt() { carryOut(.endOfInterrupt(vector)) }
  }

  /// Does for others what a write to the local APIC asked of them. There is one processor, so nobody gets its
  /// messages.
  @inline(__always)
  mutating func carryOut(_ effect: LocalAPIC.Effect) {
    switch effect {
    case .none, .interprocessor: break
    case .endOfInterrupt(let vector):
      ioAPIC.endOfInterrupt(vector: vector)
      releaseHeldLines(ofPins: ioAPIC.takeEnded())
      deliverMessages()
    }
  }

  /// Delivers what became due at the I/O APIC's level-triggered pins.
  mutating func deliverMessages() {
    while let message = ioAPIC.nextMessage() { deliver(message) }
  }

  mutating func deliver(_ message: IOAPICMessage) {
    guard apic.accepts(destination: UInt32(message.destination), isLogical: message.isLogical) else { return }
    apic.receive(message.mode, vector: message.vector, trigger: message.trigger)
  }

  /// Lets the guest end an interrupt without an exit if nothing waits for that end, and only then: an end nobody
  /// hears of would hold up what waits.
  @inline(__always)
  private mutating func prepareParavirtualEOI() {
    guard paravirtualEOI.isOn else { return }
    if canEndSilently {
      if !paravirtualEOI.isArmed { _ = paravirtualEOI.arm(in: memory) }
    } else if paravirtualEOI.isArmed, paravirtualEOI.disarm(in: memory) {
      endInterrupt()
    }
  }

  @inline(__always)
  private var canEndSilently: Bool {
    guard !owesTick, apic.timerBacklog == 0, !sharesLocalAPIC else { return false }
    switch offer {
    case .local(let vector):
      return !apic.isServicing && apic.isOnlyRequest(vector) && !apic.levelTriggered.contains(vector)
    // Armed for the one in service.
    case .none: return paravirtualEOI.isArmed && apic.isServicing && apic.requests.isEmpty
    case .external: return false
    }
  }
}

extension LocalAPIC {
  /// Whether no other vector than `vector` is requested.
  fileprivate func isOnlyRequest(_ vector: UInt8) -> Bool {
    var others = requests
    others.remove(vector)
    return others.isEmpty
  }
}
