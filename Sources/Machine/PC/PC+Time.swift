// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// When each part of the machine next wants to be looked at, `.max` for never.
///
/// They are kept because an exit must not cost a round of all devices: only a device that was touched, or whose time
/// has come, is asked again.
struct Deadlines: Equatable {
  var intervalTimer = UInt64.max
  var clock = UInt64.max
  var power = UInt64.max
  var apic = UInt64.max
  /// The local APIC's TSC deadline, in guest time.
  var tsc = UInt64.max
  /// When the page in place of the local APIC is looked at, if nothing else makes the guest leave before.
  var page = UInt64.max

  var first: UInt64 { min(min(apic, tsc), firstOfOthers) }
  /// The first that is not the local APIC's.
  var firstOfOthers: UInt64 { min(min(intervalTimer, clock), min(power, page)) }
}

extension PC {
  /// When the machine next does something by itself.
  @inline(__always)
  package var nextDeadline: UInt64? {
    let first = deadlines.first
    return first == .max ? nil : first
  }

  /// Lets guest time pass, in nanoseconds; once after each exit, before it is handled.
  package mutating func advance(to time: UInt64) {
    now = max(now, time)
    hideLocalAPICPage()
    guard now >= deadlines.first else { return }
    if now >= deadlines.apic {
      apic.advance(to: now)
      apicChanged()
    }
    if now >= deadlines.tsc {
      apic.tscDeadlineReached()
      apicChanged()
    }
    if now >= deadlines.intervalTimer { settleTicks() }
    if now >= deadlines.clock {
      clock.advance(to: now)
      clockChanged()
    }
    if now >= deadlines.power {
      power.advance(to: now)
      powerChanged()
    }
  }

  // MARK: - After a device was touched

  @inline(__always)
  mutating func apicChanged() {
    deadlines.apic = apic.nextDeadline ?? .max
    if apic.tscDeadline == nil { deadlines.tsc = .max }
    routesChanged()
  }

  /// Works out when the guest's counter, which is at `tsc` now, reaches the local APIC's deadline.
  mutating func scheduleTSCDeadline(_ tsc: UInt64) {
    guard let deadline = apic.tscDeadline else { return }
    let ticks = deadline > tsc ? deadline - tsc : 0
    let wait = TickRate(frequency: clockSource.frequency).time(ofTick: ticks) ?? .max
    let (time, isNever) = now.addingReportingOverflow(wait)
    deadlines.tsc = isNever ? .max : time
  }

  mutating func clockChanged() {
    deadlines.clock = clock.nextDeadline ?? .max
    setLine(.clock, isHigh: clock.interruptLine)
  }

  mutating func powerChanged() {
    deadlines.power = power.nextDeadline ?? .max
    setLine(.power, isHigh: power.interruptLine)
  }

  /// Linux leaves the 8254 running, masked, once the APIC timer has taken over: a tick that goes nowhere wakes nobody.
  mutating func intervalTimerChanged() {
    isTickWatched = isTickWanted
    deadlines.intervalTimer = isTickWatched ? intervalTimer.nextDeadline ?? .max : .max
  }

  // MARK: - Ticks of the 8254

  private var isTickToControllers: Bool { !controllers.isMasked(Line.tick.rawValue) && apic.acceptsExternalInterrupts }
  private var isTickToIOAPIC: Bool { ioAPIC.vector(ofPin: Line.tick.pin) != nil }

  /// Whether a tick of the 8254 would reach the processor.
  private var isTickWanted: Bool { isTickToIOAPIC || isTickToControllers }

  /// Whether the guest has yet to be given a tick on a route that is open.
  @inline(__always)
  var owesTick: Bool { pendingTicks > 0 && isTickWatched }

  /// Takes the ticks that passed: each of them counts while a route is open.
  mutating func settleTicks() {
    let passed = intervalTimer.advance(to: now)
    if isTickWanted { pendingTicks &+= passed } else if passed > 0 { latchTick() }
    intervalTimerChanged()
    deliverTick()
  }

  /// Ticks passed while every route was masked. On a PC the 8259 latches one edge behind its mask, and the others are gone;
  /// the I/O APIC latches none (82093AA data sheet, §3.2.4, "Interrupt Mask").
  private mutating func latchTick() {
    pendingTicks = 0
    controllers.pulse(Line.tick.rawValue)
  }

  /// Some mask changed: from now on other ticks may be wanted.
  @inline(__always)
  mutating func routesChanged() {
    guard isTickWatched != isTickWanted else { return }
    if !isTickWatched { noteMaskedTicks() }
    settleTicks()
  }

  /// Has the 8259 see the tick that came behind its mask, before it is asked about it or told to forget it.
  mutating func noteMaskedTicks() {
    guard !isTickWatched, intervalTimer.advance(to: now) > 0 else { return }
    latchTick()
  }

  /// Raises the next tick if the guest is done with the last one: each tick counts, however late.
  mutating func deliverTick() {
    guard owesTick, !isTickBusy else { return }
    pendingTicks &-= 1
    setLine(.tick, isHigh: false)
    setLine(.tick, isHigh: true)
  }

  /// Whether the last tick is still on its way through a route that is open.
  private var isTickBusy: Bool {
    if let vector = ioAPIC.vector(ofPin: Line.tick.pin), apic.isBusy(vector) { return true }
    return isTickToControllers && controllers.isBusy(Line.tick.rawValue)
  }
}
