// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
import Virtio

// One turn of a VMM's loop:
//
//   enter the guest with the vector of `nextInterrupt()` ─► the guest leaves
//     ─► `left(tookInterrupt:)` ─► `advance(to:)` ─► read, write, cpuid … as the exit says ─► again
//
// In this order nothing changes between the moment an interrupt is offered and the moment the machine hears that the
// guest took it, so both see the same one. With no interrupt to offer, a halted vCPU sleeps until `nextDeadline` or
// until the console has something to say.

/// A guest's whole machine but its processor and memory: a plain PC.
///
/// It has no clock and no input of its own: the same calls give the same machine. Guest time is in nanoseconds.
///
/// Invariant: both interrupt controllers have every device's line at the level that the device's state says, and
/// `deadlines` is what the devices say; whoever touches a device calls the matching `…Changed`.
package struct PC: ~Copyable {
  package let memory: GuestMemory
  let clockSource: GuestClock

  var controllers = InterruptControllerPair()
  var intervalTimer = IntervalTimer()
  var clock: RealTimeClock
  var uart = UART()
  var bridge = PCIHostBridge()
  var power = PowerManagement()
  var timerComparison = TimerComparison()
  var apic: LocalAPIC
  var ioAPIC = IOAPIC()
  var registers: MSRPolicy
  var facts: CPUIDFacts
  var paravirtualClock = ParavirtualClock()
  var paravirtualEOI = ParavirtualEOI()

  var now: UInt64 = 0
  var deadlines = Deadlines()
  /// The levels of `Line`s.
  var levels: UInt16 = 0
  /// Ticks of the 8254 that the guest has yet to be given, once a route is open.
  var pendingTicks: UInt64 = 0
  /// Whether such a tick would have reached the processor when that was last worked out.
  var isTickWatched = false
  var offer = Offer.none
  /// The page that the guest sees in place of its local APIC while `showsLocalAPICPage`; `nil` if it never does.
  let localAPICPage: LocalAPICPage?
  /// Whether the processor can do the local APIC's work while the guest runs.
  package let canShareLocalAPIC: Bool
  /// Whether the guest is to see that page on its next entry.
  package internal(set) var showsLocalAPICPage = false
  var pageSchedule = LocalAPICPageSchedule()
  /// The guest has taken a tick of its one-shot timer and, as far as is known, not started the timer again.
  var awaitsCount = false
  /// Of the last `planWake`.
  var beforeWake: StateBeforeWake

  /// The PCI functions, the first `functionCount` of which are there.
  var functions = InlineArray<8, VirtioFunction?> { _ in nil }
  package internal(set) var functionCount = 0
  /// Bits of functions whose interrupt pins are asserted.
  var functionLines: UInt32 = 0
  /// Bits of slots whose lines stay asserted until the guest ends their interrupts, and of those where it did.
  var heldLines: UInt32 = 0
  var endedLines: UInt32 = 0
  /// Bits of functions that the guest did something to.
  var touchedFunctions: UInt32 = 0

  /// A machine as after power-on, at guest time 0.
  package init(
    memory: GuestMemory, clock source: GuestClock, facts: CPUIDFacts, physicalAddressBits: Int,
    localAPICPage: LocalAPICPage? = nil, canShareLocalAPIC: Bool = false
  ) {
    self.memory = memory
    self.canShareLocalAPIC = canShareLocalAPIC
    self.localAPICPage = localAPICPage
    clockSource = source
    clock = RealTimeClock(unixTime: source.start, lowMemory: memory.low.sizeFromZero, highMemory: memory.highSize)
    registers = MSRPolicy(
      physicalAddressBits: physicalAddressBits, deviceHole: MemoryMap.lowLimit,
      architecturalCapabilities: facts.architecturalCapabilities)
    self.facts = facts
    apic = LocalAPIC(identity: 0, isBootProcessor: true, physicalAddressBits: physicalAddressBits)
    apic.enterVirtualWireMode()
    beforeWake = StateBeforeWake(
      now: now, apic: apic, deadlines: deadlines, paravirtualEOI: paravirtualEOI, pageSchedule: pageSchedule)
    releaseFunctionLines()
  }
}

/// How guest time, the guest's time-stamp counter and the calendar hang together.
package struct GuestClock: Equatable, Sendable {
  /// Seconds since 1970-01-01 00:00:00 when guest time was 0.
  package var start: UInt64
  /// Ticks of the time-stamp counter in a second, at most 2³³.
  package var frequency: UInt64
  /// Ticks become nanoseconds by (ticks << shift) · multiplier / 2³².
  package var multiplier: UInt32
  package var shift: Int8

  package init(start: UInt64, frequency: UInt64, multiplier: UInt32, shift: Int8) {
    self.start = start
    self.frequency = frequency
    self.multiplier = multiplier
    self.shift = shift
  }
}

// MARK: - The console

extension PC {
  /// Bytes that the guest's serial port takes without losing one.
  package var receiveSpace: Int { uart.receiveSpace }

  /// A byte was typed.
  package mutating func receive(_ byte: UInt8) {
    uart.receive(byte)
    setLine(.serial, isHigh: uart.interruptLine)
  }

  /// Takes a BREAK from the console; while `receiveSpace` is 0 it is lost.
  package mutating func receiveBreak() {
    uart.receiveBreak()
    setLine(.serial, isHigh: uart.interruptLine)
  }

  /// Whether the console has room for `UART.transmitBurst` bytes; while not, the guest waits.
  package var canTransmit: Bool {
    get { uart.canTransmit }
    set {
      guard newValue != uart.canTransmit else { return }
      uart.canTransmit = newValue
      setLine(.serial, isHigh: uart.interruptLine)
    }
  }

  /// An NMI that the processor has not taken yet; whoever gives it to the guest clears this.
  package var hasNMI: Bool {
    get { apic.hasNMI }
    set { apic.hasNMI = newValue }
  }

  /// Somebody pressed the button that a board has for an NMI: the line is the processor's LINT1 (ACPI's MADT says so).
  package mutating func raiseNMI() {
    apic.setLine(.lint1, isAsserted: true)
    apic.setLine(.lint1, isAsserted: false)
  }

  /// Somebody pressed the machine's power button: what happens is the guest's affair.
  package mutating func pressPowerButton() {
    power.signal(.powerButton)
    powerChanged()
  }
}

// MARK: - What a report should say

extension PC {
  /// Periodic interrupts of the real-time clock that came while the one before was not acknowledged: as on a PC,
  /// these are not made up for.
  package var missedClockPeriods: UInt64 { clock.missedPeriods }

  /// How often the guest asked for a model-specific register that is not there, and the last of them.
  package var unknownRegisters: (count: UInt64, last: UInt32) { (registers.unknownCount, registers.lastUnknown) }
}
