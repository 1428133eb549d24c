// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Machine

extension LocalAPIC {
  /// The boot processor's APIC, enabled as an operating system does.
  static func enabled(identity: UInt32 = 0) -> LocalAPIC {
    var apic = LocalAPIC(identity: identity, isBootProcessor: true)
    _ = apic.write(offset: 0xf0, value: 0x1ff, now: 0)
    return apic
  }

  mutating func set(_ offset: UInt32, _ value: UInt32, now: UInt64 = 0) {
    _ = write(offset: offset, value: value, now: now)
  }

  func get(_ offset: UInt32, now: UInt64 = 0) -> UInt32 {
    var apic = self
    return apic.read(offset: offset, now: now)
  }

  /// Takes what is pending, as the processor would.
  mutating func take() -> UInt8? {
    guard let vector = highestPending() else { return nil }
    accept(vector)
    return vector
  }
}

@Suite struct LocalAPICTests {
  // MARK: - Registers

  @Test func `the registers have the values that a reset leaves`() {
    let apic = LocalAPIC(identity: 3, isBootProcessor: true)

    #expect(apic.get(0x20) == 0x0300_0000)
    #expect(apic.get(0x30) == 0x0005_0014)
    #expect(apic.get(0xd0) == 0)
    #expect(apic.get(0xe0) == 0xffff_ffff)
    #expect(apic.get(0xf0) == 0xff)
    for offset: UInt32 in stride(from: 0x320, through: 0x370, by: 0x10) { #expect(apic.get(offset) == 0x10000) }
    for offset: UInt32 in [0x80, 0xa0, 0x280, 0x300, 0x310, 0x380, 0x390, 0x3e0] { #expect(apic.get(offset) == 0) }
  }

  @Test func `read-only registers ignore writes`() {
    var apic = LocalAPIC.enabled()
    for offset: UInt32 in [0x20, 0x30, 0x90, 0xa0, 0xc0, 0x100, 0x1f0, 0x270, 0x390] {
      let before = apic.get(offset)
      apic.set(offset, 0xa5a5_a5a5)
      #expect(apic.get(offset) == before)
    }
    #expect(apic.newErrors.isEmpty)
  }

  @Test func `only the bits that exist can be written`() {
    var apic = LocalAPIC.enabled()
    for (offset, kept) in [
      (0x80, 0xff), (0xd0, 0xff00_0000), (0xe0, 0xffff_ffff), (0xf0, 0x3ff), (0x310, 0xff00_0000), (0x320, 0x700ff),
      (0x330, 0x107ff), (0x340, 0x107ff), (0x350, 0x1a7ff), (0x360, 0x1a7ff), (0x370, 0x100ff), (0x3e0, 0xb),
    ] as [(UInt32, UInt32)] {
      apic.set(offset, 0xffff_ffff)
      #expect(apic.get(offset) == kept)
    }
    apic.set(0xe0, 0)
    #expect(apic.get(0xe0) == 0x0fff_ffff)
  }

  @Test func `an access to a register that does not exist is an error, seen after ESR is written`() {
    var apic = LocalAPIC.enabled()
    apic.set(0x40, 1)
    _ = apic.read(offset: 0x84, now: 0)

    #expect(apic.get(0x280) == 0)
    apic.set(0x280, 0)
    #expect(apic.get(0x280) == 0x80)
    apic.set(0x280, 0)
    #expect(apic.get(0x280) == 0)
  }

  @Test func `the first error after each write of ESR interrupts`() {
    var apic = LocalAPIC.enabled()
    apic.set(0x370, 0xfe)
    apic.set(0x40, 0)

    #expect(apic.take() == 0xfe)
    _ = apic.endOfInterrupt()
    apic.set(0x40, 0)
    #expect(apic.highestPending() == nil)
    apic.set(0x280, 0)
    apic.set(0x40, 0)
    #expect(apic.highestPending() == 0xfe)
  }

  @Test func `an error vector that is itself illegal does not go round in circles`() {
    var apic = LocalAPIC.enabled()
    apic.set(0x370, 0x05)
    apic.raise(vector: 3, trigger: .edge)
    apic.set(0x280, 0)

    #expect(apic.get(0x280) == 0x40)
    #expect(apic.highestPending() == nil)
  }

  // MARK: - Delivery

  @Test func `a vector goes from request to service to its end`() {
    var apic = LocalAPIC.enabled()
    apic.raise(vector: 0x41, trigger: .edge)

    #expect(apic.get(0x220) == 0x02)
    #expect(!apic.isServicing)
    #expect(apic.take() == 0x41)
    #expect(apic.get(0x220) == 0)
    #expect(apic.get(0x120) == 0x02)
    #expect(apic.isServicing)
    #expect(apic.write(offset: 0xb0, value: 0, now: 0) == .none)
    #expect(apic.get(0x120) == 0)
    #expect(apic.endOfInterrupt() == nil)
  }

  @Test func `every vector from 16 on can be delivered, and shows in its own bit`() {
    for vector in UInt8(16)...255 {
      var apic = LocalAPIC.enabled()
      apic.raise(vector: vector, trigger: .level)
      let register = UInt32(vector >> 5) << 4
      #expect(apic.highestPending() == vector)
      #expect(apic.get(0x200 + register) == 1 << UInt32(vector & 31))
      #expect(apic.get(0x180 + register) == 1 << UInt32(vector & 31))
    }
  }

  @Test func `vectors below 16 are refused with an error`() {
    var apic = LocalAPIC.enabled()
    apic.raise(vector: 15, trigger: .edge)
    apic.set(0x280, 0)

    #expect(apic.get(0x280) == 0x40)
    #expect(apic.highestPending() == nil)
  }

  @Test func `a higher class interrupts service, the same class waits`() {
    var apic = LocalAPIC.enabled()
    apic.raise(vector: 0x45, trigger: .edge)
    _ = apic.take()
    apic.raise(vector: 0x4f, trigger: .edge)
    #expect(apic.highestPending() == nil)

    apic.raise(vector: 0x51, trigger: .edge)
    #expect(apic.take() == 0x51)
    #expect(apic.get(0xa0) == 0x50)
    _ = apic.endOfInterrupt()
    #expect(apic.get(0xa0) == 0x40)
    _ = apic.endOfInterrupt()
    #expect(apic.take() == 0x4f)
  }

  @Test func `the task priority holds back its class and those below`() {
    var apic = LocalAPIC.enabled()
    apic.set(0x80, 0x4c)
    apic.raise(vector: 0x4f, trigger: .edge)

    #expect(apic.get(0xa0) == 0x4c)
    #expect(apic.highestPending() == nil)
    apic.raise(vector: 0x50, trigger: .edge)
    #expect(apic.highestPending() == 0x50)
    apic.cr8 = 3
    #expect(apic.get(0x80) == 0x30)
    #expect(apic.cr8 == 3)
    apic.cr8 = .max
    #expect(apic.highestPending() == nil)
  }

  @Test func `the arbitration priority follows requests too`() {
    var apic = LocalAPIC.enabled()
    apic.set(0x80, 0x23)
    #expect(apic.get(0x90) == 0x23)
    apic.raise(vector: 0x61, trigger: .edge)
    #expect(apic.get(0x90) == 0x60)
  }

  @Test func `the end of a level-triggered interrupt is told, that of an edge is not`() {
    var apic = LocalAPIC.enabled()
    apic.raise(vector: 0x30, trigger: .level)
    _ = apic.take()
    #expect(apic.write(offset: 0xb0, value: 0, now: 0) == .endOfInterrupt(0x30))

    apic.raise(vector: 0x30, trigger: .edge)
    _ = apic.take()
    #expect(apic.endOfInterrupt() == nil)
  }

  @Test func `a disabled APIC loses what arrives, and keeps back what it has`() {
    var apic = LocalAPIC(identity: 0, isBootProcessor: true)
    apic.raise(vector: 0x40, trigger: .edge)
    apic.set(0xf0, 0x1ff)
    #expect(apic.highestPending() == nil)

    apic.raise(vector: 0x40, trigger: .edge)
    apic.set(0xf0, 0xff)
    #expect(apic.highestPending() == nil)
    apic.set(0xf0, 0x1ff)
    #expect(apic.highestPending() == 0x40)
  }

  @Test func `disabling masks the local vector table, and the masks stay until it is enabled`() {
    var apic = LocalAPIC.enabled()
    apic.set(0x350, 0x700)
    #expect(apic.acceptsExternalInterrupts)

    apic.set(0xf0, 0xff)
    #expect(apic.get(0x350) == 0x10700)
    #expect(!apic.acceptsExternalInterrupts)
    apic.set(0x350, 0x700)
    #expect(apic.get(0x350) == 0x10700)
  }

  // MARK: - Local pins

  @Test func `virtual wire mode lets the 8259As and NMIs through`() {
    var apic = LocalAPIC(identity: 0, isBootProcessor: true)
    #expect(!apic.acceptsExternalInterrupts)
    apic.enterVirtualWireMode()

    #expect(apic.acceptsExternalInterrupts)
    #expect(apic.get(0xf0) == 0x1ff)
    apic.setLine(.lint1, isAsserted: true)
    #expect(apic.hasNMI)
  }

  @Test func `a pin in fixed mode raises its vector with each rise`() {
    var apic = LocalAPIC.enabled()
    apic.set(0x350, 0x31)
    apic.setLine(.lint0, isAsserted: true)
    #expect(apic.take() == 0x31)
    _ = apic.endOfInterrupt()

    apic.setLine(.lint0, isAsserted: true)
    #expect(apic.highestPending() == nil)
    apic.setLine(.lint0, isAsserted: false)
    apic.setLine(.lint0, isAsserted: true)
    #expect(apic.highestPending() == 0x31)
  }

  @Test func `a masked pin does nothing`() {
    var apic = LocalAPIC.enabled()
    apic.set(0x360, 0x10400)
    apic.setLine(.lint1, isAsserted: true)
    #expect(!apic.hasNMI)
  }

  // MARK: - Messages

  @Test func `a self interrupt is delivered at once`() {
    var apic = LocalAPIC.enabled()
    #expect(apic.write(offset: 0x300, value: 0x40051, now: 0) == .none)
    #expect(apic.highestPending() == 0x51)
    #expect(apic.get(0x300) == 0x40051)
  }

  @Test func `a message to its own identity stays here, one to another goes out`() {
    var apic = LocalAPIC.enabled(identity: 2)
    apic.set(0x310, 0x0200_0000)
    #expect(apic.write(offset: 0x300, value: 0x51, now: 0) == .none)
    #expect(apic.highestPending() == 0x51)

    apic.set(0x310, 0x0300_0000)
    #expect(
      apic.write(offset: 0x300, value: 0x61, now: 0)
        == .interprocessor(
          InterprocessorInterrupt(
            mode: .fixed, vector: 0x61, target: .matching(destination: 3, isLogical: false))))
    #expect(apic.highestPending() == 0x51)
  }

  @Test func `all including self is for both, all but self for others only`() {
    var apic = LocalAPIC.enabled()
    let others = LocalAPIC.Effect.interprocessor(
      InterprocessorInterrupt(mode: .fixed, vector: 0x51, target: .allOthers))
    #expect(apic.write(offset: 0x300, value: 0xc0051, now: 0) == others)
    #expect(apic.highestPending() == nil)
    #expect(apic.write(offset: 0x300, value: 0x80051, now: 0) == others)
    #expect(apic.highestPending() == 0x51)
  }

  @Test func `NMI, INIT and startup go out as what they are`() {
    var apic = LocalAPIC.enabled()
    apic.set(0x310, 0x0100_0000)
    for (word, mode) in [(0x400, .nonMaskable), (0xc500, .initialise), (0x608, .startup)] as [(UInt32, DeliveryMode)] {
      #expect(
        apic.write(offset: 0x300, value: word, now: 0)
          == .interprocessor(
            InterprocessorInterrupt(
              mode: mode, vector: UInt8(word & 0xff), target: .matching(destination: 1, isLogical: false))))
    }
    #expect(!apic.hasNMI)
    apic.set(0x300, 0x80400)
    #expect(apic.hasNMI)
  }

  @Test func `INIT level de-assert and reserved delivery modes do nothing`() {
    var apic = LocalAPIC.enabled()
    for word: UInt32 in [0x88500, 0x80341, 0x80741] {
      #expect(apic.write(offset: 0x300, value: word, now: 0) == .none)
    }
    #expect(apic.highestPending() == nil)
  }

  @Test func `sending a vector below 16 is an error and sends nothing`() {
    var apic = LocalAPIC.enabled()
    #expect(apic.write(offset: 0x300, value: 0x8000f, now: 0) == .none)
    apic.set(0x280, 0)
    #expect(apic.get(0x280) == 0x20)
  }

  @Test func `logical destinations match in the flat and in the cluster model`() {
    var apic = LocalAPIC.enabled()
    apic.set(0xd0, 0x0400_0000)
    #expect(apic.accepts(destination: 0x06, isLogical: true))
    #expect(!apic.accepts(destination: 0x03, isLogical: true))

    apic.set(0xe0, 0x0fff_ffff)
    apic.set(0xd0, 0x2400_0000)
    #expect(apic.accepts(destination: 0x24, isLogical: true))
    #expect(apic.accepts(destination: 0xf4, isLogical: true))
    #expect(!apic.accepts(destination: 0x14, isLogical: true))
    #expect(!apic.accepts(destination: 0x21, isLogical: true))
    #expect(apic.accepts(destination: 0xff, isLogical: false))
  }

  @Test func `a lowest-priority message that this APIC takes goes nowhere else`() {
    var apic = LocalAPIC.enabled()
    apic.set(0xd0, 0x0100_0000)
    apic.set(0x310, 0x0300_0000)
    #expect(apic.write(offset: 0x300, value: 0x951, now: 0) == .none)
    #expect(apic.highestPending() == 0x51)
  }

  @Test func `received messages do what their mode says`() {
    var apic = LocalAPIC.enabled()
    apic.receive(.lowestPriority, vector: 0x42, trigger: .level)
    apic.receive(.external, vector: 0x50, trigger: .edge)
    apic.receive(.initialise, vector: 0x50, trigger: .edge)
    #expect(apic.highestPending() == 0x42)
    apic.receive(.nonMaskable, vector: 0, trigger: .edge)
    #expect(apic.hasNMI)
  }

  // MARK: - Hostile use

  @Test func `random use never traps, and keeps the registers' invariants`() {
    var random = SplitMix64(seed: 0xa91c)
    for _ in 0..<fuzzRounds(200) {
      var apic = LocalAPIC.enabled(identity: UInt32(random.next() % 64))
      var now: UInt64 = 0
      for _ in 0..<300 {
        now = random.later(than: now)
        let value = random.next() >> (random.next() % 64)
        // Mostly registers that exist, and 1 in 8 anything.
        let offset = UInt32(random.next() % 8 == 0 ? random.next() & 0xfff : random.next() % 64 << 4)
        let msr: UInt32 = [0x1b, 0x6e0, 0x800 + offset >> 4][Int(random.next() % 3)]
        switch random.next() % 10 {
        case 0: _ = apic.read(offset: offset, now: now)
        case 1, 2: _ = apic.write(offset: offset, value: UInt32(truncatingIfNeeded: value), now: now)
        case 3: _ = try? apic.readMSR(msr, now: now)
        case 4: _ = try? apic.writeMSR(msr, value: msr == 0x1b ? value & 0xc00 | 0xfee0_0000 : value, now: now)
        case 5: apic.raise(vector: UInt8(truncatingIfNeeded: value), trigger: value & 256 == 0 ? .edge : .level)
        case 6: apic.setLine(value & 1 == 0 ? .lint0 : .lint1, isAsserted: value & 2 == 0)
        case 7: _ = apic.endOfInterrupt()
        case 8:
          if let vector = apic.take() {
            #expect(vector >= 16)
            #expect(apic.highestPending().map { $0 >> 4 > vector >> 4 } != true)
          }
        default:
          apic.advance(to: now)
          if let deadline = apic.nextDeadline { #expect(deadline > now) }
          if random.next() % 4 == 0 { apic.tscDeadlineReached() }
        }
      }
    }
  }
}
