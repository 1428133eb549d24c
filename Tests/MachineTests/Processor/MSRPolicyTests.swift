// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Machine

private func words(cr0: UInt64 = 0, efer: UInt64 = 0) -> ProcessorWords {
  ProcessorWords(cr0: cr0, efer: efer, pat: 0x0007_0406_0007_0406, tscOffset: 0 &- 1000, machineTSC: 5000)
}

/// A vCPU and its registers.
private final class Guest {
  var policy = MSRPolicy(physicalAddressBits: 40)
  var cpu = words()

  func read(_ number: UInt32) -> MSRRead { policy.read(number, cpu) }
  func write(_ number: UInt32, _ value: UInt64) -> MSRWrite { policy.write(number, value, &cpu) }
}

@Suite struct MSRPolicyTests {
  private let guest = Guest()

  @Test func `the APIC, the clocks and the deadline go to those who have them`() {
    #expect(guest.read(0x802) == .apic(0x20))
    #expect(guest.write(0x80b, 0) == .apic(0xb0, 0))
    #expect(guest.read(0x8ff) == .apic(0xff0))
    #expect(guest.write(0x1b, 0xfee0_0d00) == .apicBase(0xfee0_0d00))
    #expect(guest.write(0x6e0, 77) == .tscDeadline(77))
    for number: UInt32 in [0x12, 0x4b56_4d01] { #expect(guest.write(number, 0x1001) == .kvmClock(0x1001)) }
    for number: UInt32 in [0x11, 0x4b56_4d00] { #expect(guest.write(number, 0x1000) == .kvmWallClock(0x1000)) }
    #expect(guest.write(0x4b56_4d04, 0x2001) == .kvmEndOfInterrupt(0x2001))
    #expect(guest.read(0x4b56_4d04) == .kvmEndOfInterrupt)
    #expect(guest.policy.unknownCount == 0)
  }

  /// No CPUID bit says that they are there: every processor of AMD's has them, and old kernels write to them unasked.
  @Test func `AMD's first performance counters are there, and count nothing`() {
    for number: UInt32 in 0xc001_0000...0xc001_0007 {
      #expect(guest.write(number, 0x53_0076) == .handled)
      #expect(guest.read(number) == .value(0))
    }
    #expect(guest.read(0xc001_0055) == .value(0))
    #expect(guest.policy.unknownCount == 0)
    #expect(guest.read(0xc001_0008) == .injectGP)
  }

  @Test func `the counter and its adjustment move together`() {
    #expect(guest.read(0x10) == .value(4000))
    #expect(guest.write(0x10, 0) == .tscMoved)
    #expect(guest.read(0x10) == .value(0))
    #expect(guest.read(0x3b) == .value(0 &- 4000))
    #expect(guest.write(0x3b, 0) == .tscMoved)
    #expect(guest.read(0x10) == .value(4000))
    #expect(guest.write(0x3b, 0) == .handled)
  }

  @Test func `EFER takes what the guest may set and keeps LMA`() {
    #expect(guest.write(0xc000_0080, 0x901) == .handled && guest.cpu.efer == 0x901)
    for bad: UInt64 in [1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 21, 1 << 63, 2] {
      #expect(guest.write(0xc000_0080, bad) == .injectGP)
    }
    guest.cpu = words(cr0: 0x8000_0001, efer: 0xd01)
    #expect(guest.write(0xc000_0080, 0x101) == .handled && guest.cpu.efer == 0x501)
    #expect(guest.write(0xc000_0080, 0x001) == .injectGP)
    #expect(guest.read(0xc000_0080) == .value(0x501))
  }

  @Test func `what the processor is not affected by can be read where it is told, and never written`() {
    #expect(guest.read(0x10a) == .injectGP && guest.write(0x10a, 0) == .injectGP)
    guest.policy = MSRPolicy(physicalAddressBits: 40, architecturalCapabilities: 0x48)
    #expect(guest.read(0x10a) == .value(0x48))
    #expect(guest.write(0x10a, 0x48) == .injectGP)
    for number: UInt32 in [0x48, 0x122, 0x123] { #expect(guest.read(number) == .injectGP) }
  }

  @Test func `PAT refuses reserved types`() {
    #expect(guest.write(0x277, 0x0006_0406_0006_0401) == .handled)
    #expect(guest.read(0x277) == .value(0x0006_0406_0006_0401))
    for bad: UInt64 in [2, 3, 8, 0x0300_0000_0000_0000, .max] { #expect(guest.write(0x277, bad) == .injectGP) }
    #expect(guest.cpu.pat == 0x0006_0406_0006_0401)
  }

  // MARK: - Memory types

  @Test func `MTRRs start as firmware leaves them`() {
    #expect(guest.read(0xfe) == .value(0x508))
    #expect(guest.read(0x2ff) == .value(0xc06))
    #expect(guest.read(0x200) == .value(0xc000_0000))
    #expect(guest.read(0x201) == .value(0xff_c000_0800))
    #expect(guest.read(0x202) == .value(0))
    #expect(guest.read(0x250) == .value(0x0606_0606_0606_0606))
    #expect(guest.read(0x259) == .value(0))
    #expect(guest.read(0x26f) == .value(0x0606_0606_0606_0606))
  }

  @Test func `MTRRs keep what is valid and fault on what is not`() {
    for (number, value) in [
      (0x2ff, 0x800), (0x20e, 0x1_0000_0006), (0x20f, 0xff_f000_0800), (0x268, 0x0505_0505_0505_0505),
    ]
      as [(UInt32, UInt64)]
    {
      #expect(guest.write(number, value) == .handled)
      #expect(guest.read(number) == .value(value))
    }
    for (number, value) in [
      (0xfe, 0), (0x2ff, 2), (0x2ff, 0x1006), (0x200, 0x102), (0x200, 3), (0x201, 1 << 41), (0x250, 7),
    ]
      as [(UInt32, UInt64)]
    {
      #expect(guest.write(number, value) == .injectGP)
    }
    for number: UInt32 in [0x210, 0x24f, 0x251, 0x25a, 0x270] { #expect(guest.read(number) == .injectGP) }
  }

  // MARK: - The rest

  @Test func `what Linux reads without asking is there`() {
    for number: UInt32 in [
      0x17, 0x8b, 0x179, 0x1a0, 0xc001_0010, 0xc001_0015, 0xc001_001a, 0xc001_001d, 0xc001_001f, 0xc001_0058,
      0xc001_1029,
    ] {
      guard case .value = guest.read(number) else {
        Issue.record("\(number) faults")
        continue
      }
    }
    // TscFreqSel stays: without it Linux complains of the firmware.
    #expect(guest.write(0xc001_0015, 0) == .handled)
    #expect(guest.read(0xc001_0015) == .value(1 << 24))
    #expect(guest.write(0x1a0, 0) == .handled)
    #expect(guest.read(0x1a0) == .value(0x1800))
    #expect(guest.write(0xc001_1029, 2) == .handled)
    #expect(guest.read(0xc001_1029) == .value(2))
  }

  @Test func `read-only registers and impossible values fault`() {
    for number: UInt32 in [0x17, 0x179, 0x3a, 0xc001_001a] { #expect(guest.write(number, 1) == .injectGP) }
    #expect(guest.write(0x17a, 1) == .injectGP)
    #expect(guest.write(0x17a, 0) == .handled)
  }

  @Test func `unknown registers fault, are counted, and the last is remembered`() {
    #expect(guest.read(0x48) == .injectGP)
    #expect(guest.write(0x4b56_4d02, 0) == .injectGP)
    #expect(guest.policy.unknownCount == 2 && guest.policy.lastUnknown == 0x4b56_4d02)
  }

  @Test func `random reads and writes never trap`() {
    var random = SplitMix64(seed: 5)
    let starts: [UInt32] = [0, 0x200, 0x260, 0x800, 0x4b56_4d00, 0xc000_0080, 0xc001_0000, 0xc001_1000, 0x6e0]
    for _ in 0..<fuzzRounds(40_000) {
      let number = starts[Int(random.next() % 9)] &+ UInt32(random.next() & 0x7f)
      guest.cpu.cr0 = random.next()
      guest.cpu.machineTSC = random.next()
      let before = guest.cpu.efer
      _ = guest.write(number, random.next() >> (random.next() & 63))
      _ = guest.read(number)
      #expect(guest.cpu.efer & ~0xd01 == 0 && (guest.cpu.efer ^ before) & 0x400 == 0)
    }
  }
}
