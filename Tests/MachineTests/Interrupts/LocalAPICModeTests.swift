// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Machine

private let xAPIC: UInt64 = 0xfee0_0900
private let x2APIC: UInt64 = 0xfee0_0d00
private let off: UInt64 = 0xfee0_0100

extension LocalAPIC {
  fileprivate static func extended(identity: UInt32 = 0) throws -> LocalAPIC {
    var apic = LocalAPIC.enabled(identity: identity)
    _ = try apic.writeMSR(0x1b, value: x2APIC, now: 0)
    return apic
  }
}

/// IA32_APIC_BASE and the registers of x2APIC mode.
@Suite struct LocalAPICModeTests {
  @Test func `IA32_APIC_BASE says enabled, boot processor and the default address`() throws {
    var apic = LocalAPIC.enabled()
    #expect(try apic.readMSR(0x1b, now: 0) == xAPIC)
    #expect(apic.address == 0xfee0_0000)
    var other = LocalAPIC(identity: 1, isBootProcessor: false)
    #expect(try other.readMSR(0x1b, now: 0) == 0xfee0_0800)
  }

  @Test func `the page of registers can be moved, and the boot processor's mark cannot`() throws {
    var apic = LocalAPIC.enabled()
    _ = try apic.writeMSR(0x1b, value: 0xd000_0800, now: 0)
    #expect(apic.address == 0xd000_0000)
    #expect(try apic.readMSR(0x1b, now: 0) == 0xd000_0900)
  }

  @Test func `an address wider than the processor's is refused`() throws {
    var apic = LocalAPIC(identity: 0, isBootProcessor: true, physicalAddressBits: 40)
    #expect(throws: LocalAPICFault.generalProtection) { try apic.writeMSR(0x1b, value: 1 << 40 | xAPIC, now: 0) }
    _ = try apic.writeMSR(0x1b, value: 1 << 39 | xAPIC, now: 0)
    #expect(apic.address == 1 << 39 | 0xfee0_0000)
    _ = try apic.writeMSR(0x1b, value: off, now: 0)
    #expect(throws: LocalAPICFault.generalProtection) { try apic.writeMSR(0x1b, value: 1 << 40 | xAPIC, now: 0) }
  }

  @Test(
    arguments: [
      (0xfee0_0500, "extended but not enabled"), (0xfee0_0901, "a reserved bit"), (0xfee0_0b00, "reserved bit 9"),
      (1 << 60 | 0xfee0_0900, "an address beyond all processors"),
    ] as [(UInt64, String)])
  func `what is no mode is refused`(value: UInt64, why: String) {
    var apic = LocalAPIC.enabled()
    #expect(throws: LocalAPICFault.generalProtection) { try apic.writeMSR(0x1b, value: value, now: 0) }
    #expect(apic.isInMemory)
  }

  @Test func `modes change only along the figure's arrows`() throws {
    var apic = try LocalAPIC.extended()
    #expect(throws: LocalAPICFault.generalProtection) { try apic.writeMSR(0x1b, value: xAPIC, now: 0) }
    _ = try apic.writeMSR(0x1b, value: off, now: 0)
    #expect(throws: LocalAPICFault.generalProtection) { try apic.writeMSR(0x1b, value: x2APIC, now: 0) }
    _ = try apic.writeMSR(0x1b, value: xAPIC, now: 0)
    _ = try apic.writeMSR(0x1b, value: x2APIC, now: 0)
    #expect(apic.isExtended)
  }

  @Test func `switched off it is as if there were none, and it comes back as after a reset`() throws {
    var apic = LocalAPIC.enabled(identity: 5)
    apic.raise(vector: 0x40, trigger: .edge)
    _ = try apic.writeMSR(0x1b, value: off, now: 0)

    #expect(apic.acceptsExternalInterrupts)
    #expect(apic.highestPending() == nil)
    #expect(apic.get(0x20) == 0xffff_ffff)
    #expect(apic.write(offset: 0xf0, value: 0x1ff, now: 0) == .none)
    apic.setLine(.lint1, isAsserted: true)
    #expect(apic.hasNMI)
    _ = try apic.writeMSR(0x1b, value: xAPIC, now: 0)
    #expect(apic.get(0x20) == 0x0500_0000)
    #expect(apic.get(0xf0) == 0xff)
    #expect(!apic.acceptsExternalInterrupts)
  }

  @Test func `there are no x2APIC registers in xAPIC mode, nor the other way round`() throws {
    var apic = LocalAPIC.enabled()
    #expect(throws: LocalAPICFault.generalProtection) { try apic.readMSR(0x802, now: 0) }
    #expect(throws: LocalAPICFault.generalProtection) { try apic.writeMSR(0x80b, value: 0, now: 0) }

    apic = try LocalAPIC.extended()
    #expect(!apic.isInMemory)
    #expect(apic.get(0x30) == 0xffff_ffff)
    #expect(apic.write(offset: 0x80, value: 0x20, now: 0) == .none)
    #expect(try apic.readMSR(0x808, now: 0) == 0)
  }

  @Test func `in x2APIC mode the identity has 32 bits and the logical destination follows from it`() throws {
    var apic = try LocalAPIC.extended(identity: 0x25)
    #expect(try apic.readMSR(0x802, now: 0) == 0x25)
    #expect(try apic.readMSR(0x80d, now: 0) == 0x0002_0020)
    #expect(apic.accepts(destination: 0x0002_0021, isLogical: true))
    #expect(!apic.accepts(destination: 0x0001_0020, isLogical: true))
    #expect(apic.accepts(destination: 0xffff_ffff, isLogical: false))
  }

  @Test(arguments: [0x802, 0x803, 0x80a, 0x80d, 0x810, 0x81f, 0x827, 0x839] as [UInt32])
  func `read-only x2APIC registers refuse writes`(msr: UInt32) throws {
    var apic = try LocalAPIC.extended()
    _ = try apic.readMSR(msr, now: 0)
    #expect(throws: LocalAPICFault.generalProtection) { try apic.writeMSR(msr, value: 0, now: 0) }
  }

  @Test(arguments: [0x800, 0x809, 0x80c, 0x80e, 0x82f, 0x831, 0x8ff] as [UInt32])
  func `x2APIC registers that do not exist refuse everything`(msr: UInt32) throws {
    var apic = try LocalAPIC.extended()
    #expect(throws: LocalAPICFault.generalProtection) { try apic.readMSR(msr, now: 0) }
    #expect(throws: LocalAPICFault.generalProtection) { try apic.writeMSR(msr, value: 0, now: 0) }
  }

  @Test(arguments: [0x80b, 0x83f] as [UInt32])
  func `write-only x2APIC registers refuse reads`(msr: UInt32) throws {
    var apic = try LocalAPIC.extended()
    #expect(throws: LocalAPICFault.generalProtection) { try apic.readMSR(msr, now: 0) }
  }

  @Test(
    arguments: [
      (0x808, 0x100), (0x80b, 1), (0x80f, 0x400), (0x828, 1), (0x830, 0x1_0000), (0x832, 0x8_0000), (0x838, 1 << 32),
      (0x83e, 4), (0x83f, 0x100),
    ] as [(UInt32, UInt64)])
  func `reserved bits of x2APIC registers are refused`(msr: UInt32, value: UInt64) throws {
    var apic = try LocalAPIC.extended()
    #expect(throws: LocalAPICFault.generalProtection) { try apic.writeMSR(msr, value: value, now: 0) }
  }

  @Test func `the command register is one of 64 bits`() throws {
    var apic = try LocalAPIC.extended(identity: 1)
    #expect(
      try apic.writeMSR(0x830, value: 0x1_0000_0000_0051 | 7 << 32, now: 0)
        == .interprocessor(
          InterprocessorInterrupt(
            mode: .fixed, vector: 0x51, target: .matching(destination: 0x1_0007, isLogical: false))))
    #expect(try apic.readMSR(0x830, now: 0) == 0x1_0007_0000_0051)
    #expect(try apic.writeMSR(0x830, value: 1 << 32 | 0x52, now: 0) == .none)
    #expect(apic.highestPending() == 0x52)
  }

  @Test func `the self-interrupt register and the end of interrupt work`() throws {
    var apic = try LocalAPIC.extended()
    #expect(try apic.writeMSR(0x83f, value: 0x77, now: 0) == .none)
    #expect(apic.take() == 0x77)
    #expect(try apic.readMSR(0x813, now: 0) == 1 << 23)
    #expect(try apic.writeMSR(0x80b, value: 0, now: 0) == .none)
    #expect(!apic.isServicing)

    apic.raise(vector: 0x60, trigger: .level)
    _ = apic.take()
    #expect(try apic.writeMSR(0x80b, value: 0, now: 0) == .endOfInterrupt(0x60))
  }

  @Test func `the timer runs in x2APIC mode too`() throws {
    var apic = try LocalAPIC.extended()
    for (msr, value) in [(0x83e, 0xb), (0x832, 0x200ec), (0x838, 1000)] as [(UInt32, UInt64)] {
      _ = try apic.writeMSR(msr, value: value, now: 0)
    }
    #expect(apic.nextDeadline == 1000)
    #expect(try apic.readMSR(0x839, now: 300) == 700)
    apic.advance(to: 1000)
    #expect(apic.highestPending() == 0xec)
  }

  @Test func `the registers that are this device's are known by number`() {
    for msr: UInt32 in [0x1b, 0x6e0, 0x800, 0x8ff] { #expect(LocalAPIC.owns(msr: msr)) }
    for msr: UInt32 in [0x1a, 0x6e1, 0x7ff, 0x900] { #expect(!LocalAPIC.owns(msr: msr)) }
  }
}
