// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Component
import Decoding
import Machine

/// A VM: the guest's PC, its vCPU's page, and the line to the console.
struct VirtualMachine: ~Copyable {
  var pc: PC
  var console = ConsoleLink()
  var devices: DeviceLinks
  var passed: PassedDevices
  /// The time-stamp counter at guest time 0.
  var origin: UInt64
  let scale: TimeScale
  /// Ticks by which a sleep may be longer at most.
  let longestSlack: UInt64
  /// The guest executed HLT and has had no interrupt since.
  var isHalted = false
  /// Guest time of this turn of the loop, in nanoseconds.
  var now: UInt64 = 0
  /// The time-stamp counter then.
  var nowTick: UInt64 = 0
  var alignment: TickAlignment

  var cpu: Mapped<VirtualCPUState> { Mapped<VirtualCPUState>.virtualCPU }

  init(_ configuration: VMMConfiguration) {
    let information = Mapped<SystemInformation>.information.value
    origin = Time.ticks
    scale = information.scale
    longestSlack = scale.ticks(ofNanoseconds: TickAlignment.longestSlack)
    let kernel = Memory.bytes(at: AddressMap.guestKernel, size: configuration.kernelSize)
    let is64Bit = (try? GuestKernel(inspecting: kernel))?.setup.is64Bit ?? false
    var facts = CPUIDFacts()
    facts.supportedXCR0 = information.supportedXCR0
    facts.tscFrequency = information.tscFrequency
    facts.architecturalCapabilities = information.architecturalCapabilities
    facts.passesPredictionCommand = information.passesPredictionCommand != 0
    facts.passesFlushCommand = information.passesFlushCommand != 0
    facts.speculationControl = information.speculationControl
    // A 32-bit kernel keeps its registers in memory, where re-arming the plain timer costs no exit (`LocalAPICPage`).
    facts.offersDeadlineTimer = is64Bit
    let clock = GuestClock(
      start: Time.wallClock, frequency: information.tscFrequency, multiplier: information.scale.multiplier,
      shift: information.scale.shift)
    // SAFETY: the description maps a page of workspace there for every VMM.
    let page = unsafe LocalAPICPage(unsafeBase: Memory.pointer(AddressMap.overlay))
    // The initial local APIC's number, eight bits of it.
    alignment = TickAlignment(processor: UInt8(processorIdentification(1, 0).1 >> 24))
    let extended = processorIdentification(0x8000_0008, 0)
    pc = PC(
      memory: Memory.guest(configuration), clock: clock, facts: facts,
      physicalAddressBits: Int(extended.0 & 0xff), localAPICPage: page,
      canShareLocalAPIC: information.sharesControllers != 0)
    devices = DeviceLinks(configuration, into: &pc)
    passed = PassedDevices(configuration, firstSlot: pc.functionCount + 1)
    devices.reclaim(information.scale)
    devices.awaitDisks(configuration, &pc, information.scale)
    cpu.value.tscOffset = 0 &- origin
  }

  /// The VM's life: boot the guest, run it, see to what it left for, offer it the next interrupt.
  consuming func run(_ configuration: VMMConfiguration) -> Never {
    boot(configuration)
    while true {
      let plan = prepareEntry()
      let events = isHalted && plan == nil ? Kernel.wait() : enter()
      if plan != nil { settleSleep() }
      takeController()
      let tookInterrupt = cpu.value.injection.wasTaken != 0
      cpu.value.injection.wasTaken = 0
      pc.left(tookInterrupt: tookInterrupt)
      nowTick = Time.ticks
      now = scale.nanoseconds(ofTicks: nowTick &- origin)
      pc.advance(to: now)
      if events.contains(.channel(VMMConfiguration.consoleSlot)) { console.wasSignalled() }
      if events.intersects(.channels) { devices.heard(events, &pc) }
      if events.intersects(.interrupts) { passed.heard(events, &pc) }
      if !isHalted { handleExit() }
      if pc.hasEndedLines { passed.serveEnds(&pc) }
      if pc.hasTouchedFunction { devices.serve(&pc, cpu) }
      console.exchange(with: &pc, now: now)
    }
  }

  /// Offers the guest its next interrupt and has the kernel wake this VMM when the machine next wants to be looked at.
  /// - Returns: When and how a guest that sleeps is to wake, if that is known already.
  @inline(__always)
  private mutating func prepareEntry() -> WakePlan? {
    var vector = pc.nextInterrupt()
    if pc.hasNMI { offerNMI() }
    if vector != nil { isHalted = false }
    if isHalted { console.flush() }
    let plan = isHalted ? pc.planWake() : nil
    if let plan {
      vector = plan.vector
      alignTicks(plan)
      sleep(until: tick(at: plan.time))
    }
    if pc.isOfferShared { vector = nil }
    cpu.value.injection.interrupt = vector.map { Injection.valid | UInt32($0) } ?? 0
    shareController()
    cpu.value.overlay = pc.showsLocalAPICPage ? 1 : 0
    setDeadline(isWaiting: isHalted && plan == nil)
    return plan
  }

  /// Gives the guest an NMI, which also ends its sleep; the kernel says when it was taken.
  @inline(never)
  private mutating func offerNMI() {
    isHalted = false
    cpu.value.injection.nonMaskable = 1
    pc.hasNMI = false
  }

  /// Has the guest sleep until `end`, or a little longer if that lets guests of the core wake together (decision 25).
  @inline(__always)
  private func sleep(until end: UInt64) {
    cpu.value.sleepUntil = end
    let wait = max(end, nowTick) &- nowTick
    cpu.value.sleepSlack = UInt32(clamping: min(wait / TickAlignment.slackShare, longestSlack))
  }

  /// Sets the guest's time ahead, seldom and by less than one of its ticks: they then fall where those of the core's other
  /// guests do.
  @inline(__always)
  private mutating func alignTicks(_ plan: WakePlan) {
    guard alignment.endsRow(due: plan.time) else { return }
    guard let step = alignment.step(start: scale.nanoseconds(ofTicks: origin)) else { return }
    origin &-= scale.ticks(ofNanoseconds: step)
    cpu.value.tscOffset = 0 &- origin
  }

  /// Gives the processor what it can do of the local APIC's work.
  @inline(__always)
  private func shareController() {
    guard pc.canShareLocalAPIC else { return }
    let wasShared = cpu.value.controller.isShared != 0
    cpu.value.controller.isShared = pc.sharesLocalAPIC ? 1 : 0
    guard pc.sharesLocalAPIC else { return }
    if !wasShared { devices.setPosted(pc, cpu) }
    let vectors = pc.sharedVectors
    cpu.value.controller.requests = vectors.requests
    cpu.value.controller.inService = vectors.inService
    cpu.value.controller.noticedEnds = vectors.noticedEnds
    cpu.value.cr8 = pc.taskPriority
  }

  /// Takes back what the processor did of it, if the guest ran.
  @inline(__always)
  private mutating func takeController() {
    guard pc.canShareLocalAPIC, cpu.value.controller.isCurrent != 0 else { return }
    cpu.value.controller.isCurrent = 0
    pc.takeShared(requests: cpu.value.controller.requests, inService: cpu.value.controller.inService)
    if cpu.value.cr8 != pc.taskPriority { pc.taskPriority = cpu.value.cr8 }
  }

  /// The guest was woken as planned, or something else came first and it sleeps on.
  @inline(__always)
  private mutating func settleSleep() {
    guard cpu.value.sleepUntil != 0 else {
      isHalted = false
      return
    }
    cpu.value.sleepUntil = 0
    pc.cancelWake()
  }

  /// Has the kernel wake this VMM when the machine or the console next wants it: with the entry, if there is one.
  @inline(__always)
  private func setDeadline(isWaiting: Bool) {
    let deadline = min(pc.nextDeadline ?? .max, console.deadline)
    let tick = deadline == .max ? 0 : tick(at: deadline)
    if isWaiting { Kernel.setTimer(atTick: tick) } else { cpu.value.deadline = tick }
  }

  /// What the time-stamp counter says at guest time `time`.
  @inline(__always)
  private func tick(at time: UInt64) -> UInt64 { max(origin &+ scale.ticks(ofNanoseconds: time), 1) }

  private mutating func enter() -> Notifications {
    do throws(Status) { return try Kernel.enterGuest() } catch {
      stop("the guest asks for processor state that this machine has not")
    }
  }
}
