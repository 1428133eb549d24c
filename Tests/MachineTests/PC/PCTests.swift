// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Decoding
import TestSupport
import Testing

@testable import Machine

struct PCTests {
  private let guest = ScriptedGuest()

  @Test func `soft off and the two ways to reset are requests`() {
    #expect(guest.out(0x604, 0x3400, width: 2) == .powerOff)
    #expect(guest.out(0xcf9, 0x06) == .reset)
    #expect(guest.out(0x64, 0xfe) == .reset)
    #expect(guest.out(0x80, 0xff) == .none)
  }

  @Test func `Linux finds configuration mechanism one, a host bridge, and nothing else`() {
    guest.out(0xcfb, 0x01)
    let old = guest.input(0xcf8, width: 4)
    guest.out(0xcf8, 0x8000_0000, width: 4)
    #expect(guest.input(0xcf8, width: 4) == 0x8000_0000)
    #expect(guest.input(0xcfc, width: 4) == 0x0d57_8086)
    guest.out(0xcf8, 0x8000_0008, width: 4)
    #expect(guest.input(0xcfe, width: 2) == 0x0600)
    guest.out(0xcf8, 0x8000_0800, width: 4)
    #expect(guest.input(0xcfc, width: 4) == 0xffff_ffff)
    guest.out(0xcfc, 0x0007, width: 2)
    guest.out(0xcf8, old, width: 4)
    #expect(guest.input(0xcfc, width: 4) == 0xffff_ffff)
  }

  @Test func `ports and memory of nobody read as ones`() {
    #expect(guest.input(0x1f0, width: 2) == 0xffff)
    #expect(guest.input(0x2f8) == 0xff)
    #expect(guest.input(0x388, width: 4) == 0xffff_ffff)
    #expect(guest.load(0xfed0_0000) == .max)
    guest.store(0xfed0_0000, 1)
  }

  @Test func `a wide access to byte-wide ports is one of each byte`() {
    guest.out(0x3ff, 0x5a)
    #expect(guest.input(0x3fe, width: 2) == 0x5ab0)
    #expect(guest.out(0x3f8, 0x0041, width: 2) == .transmit(0x41))
  }

  @Test func `the clock knows the date`() {
    guest.now = 1_500_000_000
    guest.out(0x70, 0x09)
    #expect(guest.input(0x71) == 0x20)
    guest.out(0x70, 0x00)
    #expect(guest.input(0x71) == 0x41)
  }

  @Test func `the power management timer counts guest time`() {
    guest.now = 1_000_000_000
    #expect(guest.input(0x608, width: 4) == 3_579_545)
  }

  @Test func `the paravirtual clock is in the guest's memory as soon as it is asked for`() throws {
    guest.now = 5000
    #expect(guest.writeMSR(0x4b56_4d01, 0x6001) == .accepted)
    #expect(try guest.memory.read(0x6000, as: UInt32.self) == 2)
    #expect(try guest.memory.read(0x6008, as: UInt64.self) == 10_000)
    #expect(try guest.memory.read(0x6010, as: UInt64.self) == 5000)
    #expect(try guest.memory.read(0x6018, as: UInt32.self) == 1 << 31)
    #expect(guest.readMSR(0x4b56_4d01) == .value(0x6001))
    #expect(guest.writeMSR(0x4b56_4d01, 0xffff_ffff_0001) == .injectGP)
  }

  @Test func `when the guest moves its counter the paravirtual clock moves with it`() throws {
    #expect(guest.writeMSR(0x4b56_4d01, 0x6001) == .accepted)
    guest.now = 100
    #expect(guest.writeMSR(0x10, 77) == .accepted)
    #expect(try guest.memory.read(0x6008, as: UInt64.self) == 77)
    #expect(try guest.memory.read(0x6010, as: UInt64.self) == 100)
    #expect(guest.readMSR(0x10) == .value(77))
  }

  @Test func `the wall clock is when guest time began`() throws {
    #expect(guest.writeMSR(0x4b56_4d00, 0x6100) == .accepted)
    #expect(try UInt64(guest.memory.read(0x6104, as: UInt32.self)) == ScriptedGuest.start)
  }

  @Test func `registers that are not there fault`() {
    #expect(guest.readMSR(0x1234_5678) == .injectGP)
    #expect(guest.writeMSR(0x1234_5678, 1) == .injectGP)
    #expect(guest.readMSR(0x802) == .injectGP)
    #expect(guest.writeMSR(0x1b, 1 << 10) == .injectGP)
  }

  @Test func `in x2APIC mode the registers are MSRs and no longer memory`() {
    #expect(guest.readMSR(0x1b) == .value(0xfee0_0900))
    #expect(guest.writeMSR(0x1b, 0xfee0_0d00) == .accepted)
    #expect(guest.readMSR(0x802) == .value(0))
    #expect(guest.load(0xfee0_0020) == .max)
    guest.store(0xfee0_00f0, 0)
    #expect(guest.writeMSR(0x80f, 0x1ff) == .accepted)
    #expect(guest.readMSR(0x80f) == .value(0x1ff))
  }

  /// What the instruction decoder needs of a machine.
  private func version<Bus: DeviceBus & ~Copyable>(on bus: inout Bus) -> UInt64 {
    bus.write(address: ScriptedGuest.ioAPIC, width: 4, value: 1)
    return bus.read(address: ScriptedGuest.ioAPIC + 0x10, width: 4)
  }

  @Test func `the machine is the bus of the instructions that touch device memory`() {
    #expect(version(on: &guest.pc) == 0x0017_0020)
  }

  @Test func `registers that were asked for in vain are counted`() {
    _ = guest.readMSR(0x1234_5678)
    #expect(guest.pc.unknownRegisters.count == 1)
    #expect(guest.pc.unknownRegisters.last == 0x1234_5678)
    #expect(guest.pc.missedClockPeriods == 0)
  }

  @Test func `CPUID is the policy's, with the guest's own control registers in it`() {
    var answer = CPUIDAnswer.zero
    guest.interrupt { pc in
      answer = pc.cpuid(leaf: 0x4000_0000, subleaf: 0, cr4: 0, xcr0: 1) { _, _ in .zero }
    }
    #expect(answer.ebx == 0x4b4d_564b)
  }

  @Test func `CPUID says that there is a local APIC while the guest has it switched on`() {
    let bit = UInt32(1) << 9
    for (base, isThere) in [(0xfee0_0900, true), (0xfee0_0100, false), (0xfee0_0900, true)] as [(UInt64, Bool)] {
      #expect(guest.writeMSR(0x1b, base) == .accepted)
      guest.interrupt { pc in
        let ones: (UInt32, UInt32) -> CPUIDAnswer = { _, _ in CPUIDAnswer(eax: .max, ebx: .max, ecx: .max, edx: .max) }
        #expect((pc.cpuid(leaf: 1, subleaf: 0, cr4: 0, xcr0: 1, machine: ones).edx & bit != 0) == isThere)
        #expect((pc.cpuid(leaf: 0x8000_0001, subleaf: 0, cr4: 0, xcr0: 1, machine: ones).edx & bit != 0) == isThere)
      }
    }
  }
}

struct PCFuzzTests {
  private static let ports: [UInt16] = [
    0x20, 0x21, 0xa0, 0xa1, 0x40, 0x42, 0x43, 0x61, 0x70, 0x71, 0x3f8, 0x3f9, 0x3fa, 0x3fc, 0x3fd, 0x4d0, 0x600, 0x602,
    0x604, 0x608, 0xcf8, 0xcf9, 0xcfc, 0x92, 0x64,
  ]
  private static let registers: [UInt32] = [
    0x10, 0x1b, 0x3b, 0x6e0, 0x277, 0x80b, 0x830, 0x832, 0x838, 0x80f, 0x4b56_4d00, 0x4b56_4d01, 0x4b56_4d04,
    0xc000_0080,
  ]

  /// Does something random.
  private func step(_ guest: ScriptedGuest, _ random: inout SplitMix64) {
    let word = random.next()
    let value = UInt32(truncatingIfNeeded: random.next() >> (random.next() % 32))
    let width = [1, 2, 4][Int(word >> 8) % 3]
    let anywhere = UInt16(truncatingIfNeeded: word >> 16)
    let port = word & 0x80 != 0 ? anywhere : Self.ports[Int(word >> 32) % Self.ports.count]
    let base = word & 0x80 != 0 ? ScriptedGuest.localAPIC : ScriptedGuest.ioAPIC
    let number = Self.registers[Int(word >> 32) % Self.registers.count]
    switch word & 0xf {
    case 0...3: guest.out(port, value, width: width)
    case 4: _ = guest.input(port, width: width)
    case 5, 6, 7: guest.store(base + UInt64(anywhere & 0xff0), value)
    case 8: guest.store(ScriptedGuest.ioAPIC + (word & 0x40 == 0 ? 0 : 0x10), value)
    case 9: _ = guest.load(base + UInt64(anywhere))
    case 10: _ = guest.writeMSR(number, random.next() >> (random.next() % 64))
    case 11: _ = guest.readMSR(number)
    case 12: guest.interrupt { if $0.receiveSpace > 0 { $0.receive(UInt8(truncatingIfNeeded: word >> 16)) } }
    case 13: guest.interrupt { $0.canTransmit.toggle() }
    case 14: guest.now = random.later(than: guest.now)
    default: guest.halt(until: guest.now)
    }
  }

  @Test func `no sequence of accesses and times traps, and time never stands still`() {
    var random = SplitMix64(seed: 0x9c)
    for _ in 0..<fuzzRounds(20) {
      let guest = ScriptedGuest()
      for _ in 0..<1000 {
        step(guest, &random)
        guest.pc.advance(to: guest.now)
        // What is due was done: a deadline that stays in the past would keep a VMM from ever sleeping.
        if let deadline = guest.pc.nextDeadline, deadline < guest.now { Issue.record("late deadline \(deadline)") }
        if guest.now > .max / 4 { break }
      }
    }
  }
}
