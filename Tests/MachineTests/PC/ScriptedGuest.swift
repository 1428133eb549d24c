// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

@testable import Machine

/// A guest whose program is the test: each access is an exit, and a VMM's loop runs around it.
final class ScriptedGuest {
  var pc: PC
  let memory = TestMemory(low: 16 << 20)
  /// Guest time, in nanoseconds; accesses take none.
  var now: UInt64 = 0
  /// Whether the guest takes interrupts at once.
  var interruptFlag = false
  /// How often the guest left, by any way.
  private(set) var exits = 0
  /// The vectors that the guest took, in order.
  private(set) var taken: [UInt8] = []
  private var tookLast = false
  /// Words behind MSRs: a time-stamp counter of 2 GHz that began with guest time.
  var words = ProcessorWords(cr0: 0, efer: 0, pat: 0, tscOffset: 0, machineTSC: 0)

  /// The memory that the guest may see in place of its local APIC.
  private let page: LocalAPICPage?
  private let pageBase: UnsafeMutableRawPointer

  static let start: UInt64 = 1_600_000_000

  init(hasLocalAPICPage: Bool = false, sharesLocalAPIC: Bool = false) {
    pageBase = .allocate(byteCount: 4096, alignment: 4096)
    pageBase.initializeMemory(as: UInt8.self, repeating: 0xa5, count: 4096)
    page = hasLocalAPICPage ? LocalAPICPage(unsafeBase: pageBase) : nil
    var facts = CPUIDFacts()
    facts.tscFrequency = 2_000_000_000
    pc = PC(
      memory: memory.guest,
      clock: GuestClock(start: Self.start, frequency: 2_000_000_000, multiplier: 1 << 31, shift: 0),
      facts: facts, physicalAddressBits: 40, localAPICPage: page, canShareLocalAPIC: sharesLocalAPIC)
  }

  deinit { pageBase.deallocate() }

  /// What the VMM does after each exit.
  private func leave() {
    exits += 1
    pc.left(tookInterrupt: tookLast)
    tookLast = false
    pc.advance(to: now)
  }

  /// What the VMM does before each entry; a guest with its interrupts on takes what is offered.
  private func enter() {
    guard let vector = pc.nextInterrupt(), interruptFlag else { return }
    taken.append(vector)
    tookLast = true
    interruptFlag = false
  }

  private func exit<R>(_ body: (inout PC) -> R) -> R {
    leave()
    defer { enter() }
    return body(&pc)
  }

  @discardableResult
  func out(_ port: UInt16, _ value: UInt32, width: Int = 1) -> Request {
    exit { $0.write(port: port, width: width, value: value) }
  }

  func input(_ port: UInt16, width: Int = 1) -> UInt32 { exit { $0.read(port: port, width: width) } }

  func store(_ address: UInt64, _ value: UInt32, width: Int = 4) {
    if let page = pageSeen(at: address) {
      page[UInt32(address & 0xfff)] = value
    } else {
      exit { $0.write(address: address, width: width, value: UInt64(value)) }
    }
  }

  func load(_ address: UInt64) -> UInt64 {
    if let page = pageSeen(at: address) { return UInt64(page[UInt32(address & 0xfff)]) }
    return exit { $0.read(address: address, width: 4) }
  }

  /// Whether the guest sees memory in place of its local APIC.
  var seesPage: Bool { pc.showsLocalAPICPage }

  /// The page of memory at `address`, where the guest sees that and no registers.
  private func pageSeen(at address: UInt64) -> LocalAPICPage? {
    seesPage && address & ~0xfff == Self.localAPIC ? page : nil
  }

  func writeMSR(_ number: UInt32, _ value: UInt64) -> MSRAcceptance {
    words.machineTSC = now * 2
    var words = words
    defer { self.words = words }
    return exit { $0.writeMSR(number, value, &words) }
  }

  func readMSR(_ number: UInt32) -> MSRValue {
    words.machineTSC = now * 2
    let words = words
    return exit { $0.readMSR(number, words) }
  }

  /// An exit for nothing: a notification came.
  func interrupt(_ body: (inout PC) -> Void = { _ in }) { exit(body) }

  /// Computes until `end`, with its interrupts off; leaves only when the machine wants to be looked at.
  func compute(until end: UInt64) {
    while let deadline = pc.nextDeadline, deadline <= end {
      now = max(now, deadline)
      interrupt()
    }
    now = end
  }

  /// STI and HLT: waits for the next interrupt, not beyond `limit`. → its vector
  @discardableResult
  func halt(until limit: UInt64 = .max) -> UInt8? {
    interruptFlag = true
    let before = taken.count
    exit { _ in }
    while taken.count == before {
      guard let deadline = pc.nextDeadline, deadline <= limit else {
        now = limit == .max ? now : limit
        pc.advance(to: now)
        interruptFlag = false
        return nil
      }
      now = max(now, deadline)
      pc.advance(to: now)
      enter()
    }
    return taken.last
  }
}

// MARK: - What Linux does at boot

extension ScriptedGuest {
  static let localAPIC: UInt64 = 0xfee0_0000
  static let ioAPIC: UInt64 = 0xfec0_0000

  /// Vectors from 0x30, all masked but `unmasked`.
  func startControllers(unmasked: UInt16 = 0) {
    for (port, value) in [
      (0x21, 0xff), (0x20, 0x11), (0x21, 0x30), (0x21, 0x04), (0x21, 0x01),
      (0xa0, 0x11), (0xa1, 0x38), (0xa1, 0x02), (0xa1, 0x01),
    ] as [(UInt16, UInt32)] { out(port, value) }
    out(0x21, ~UInt32(unmasked) & 0xff)
    out(0xa1, ~UInt32(unmasked >> 8) & 0xff)
  }

  /// Channel 0 as a rate generator.
  func startTimer(hertz: UInt32) {
    let latch = (1_193_182 + hertz / 2) / hertz
    out(0x43, 0x34)
    out(0x40, latch & 0xff)
    out(0x40, latch >> 8)
  }

  /// The local APIC on, the 8259s' line off.
  func startLocalAPIC() {
    store(Self.localAPIC + 0xf0, 0x1ff)
    store(Self.localAPIC + 0x350, 0x1_0700)
  }

  /// A pin of the I/O APIC: to APIC 0, unmasked.
  func route(_ pin: UInt32, to vector: UInt32, level: Bool = false, activeLow: Bool = false) {
    store(Self.ioAPIC, 0x11 + 2 * pin)
    store(Self.ioAPIC + 0x10, 0)
    store(Self.ioAPIC, 0x10 + 2 * pin)
    store(Self.ioAPIC + 0x10, vector | (level ? 1 << 15 : 0) | (activeLow ? 1 << 13 : 0))
  }

  func mask(_ pin: UInt32) {
    store(Self.ioAPIC, 0x10 + 2 * pin)
    store(Self.ioAPIC + 0x10, 1 << 16)
  }

  func endOfInterrupt() { store(Self.localAPIC + 0xb0, 0) }

  /// The local APIC's timer, with a period in nanoseconds.
  func startLocalTimer(period: UInt32, vector: UInt32 = 0xec) {
    store(Self.localAPIC + 0x3e0, 0xb)
    store(Self.localAPIC + 0x320, vector | 1 << 17)
    store(Self.localAPIC + 0x380, period)
  }

  /// The local APIC's timer, once, in nanoseconds.
  func startOneShotTimer(_ count: UInt32, vector: UInt32 = 0xec) {
    store(Self.localAPIC + 0x3e0, 0xb)
    store(Self.localAPIC + 0x320, vector)
    rearm(count)
  }

  /// Starts the local APIC's timer again.
  func rearm(_ count: UInt32) { store(Self.localAPIC + 0x380, count) }

  /// Where the paravirtual end of interrupt is.
  static let endWord: UInt64 = 0x5000

  func startParavirtualEOI() -> MSRAcceptance { writeMSR(0x4b56_4d04, Self.endWord | 1) }

  /// Ends an interrupt as Linux does with KVM: by the word if it is set, else at the APIC. → whether by the word
  @discardableResult
  func endParavirtually() throws -> Bool {
    let word = try memory.read(Self.endWord, as: UInt8.self)
    guard word & 1 != 0 else {
      endOfInterrupt()
      return false
    }
    try memory.guest.write(word & ~1, at: GuestAddress(Self.endWord))
    return true
  }

  /// Has the serial port interrupt, through the I/O APIC.
  func startSerialInterrupts(_ vector: UInt32, isLevel: Bool = false) {
    route(4, to: vector, level: isLevel)
    out(0x3fc, 0x0b)
    out(0x3f9, 0x01)
  }
}

/// A guest with a one-shot timer of 4 ms that is running.
func tickingGuest(hasPage: Bool = true, endsSilently: Bool = true) -> ScriptedGuest {
  let guest = ScriptedGuest(hasLocalAPICPage: hasPage)
  guest.startControllers()
  guest.startLocalAPIC()
  if endsSilently { _ = guest.startParavirtualEOI() }
  guest.startOneShotTimer(4_000_000)
  return guest
}
