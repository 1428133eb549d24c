// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware
import PCI
import TestSupport
import Testing

@testable import IOMMU

/// Interrupts through Intel's IOMMUs.
@Suite struct IntelInterruptTests {
  private let card = at(0x66, 0)

  private func rig(
    flags: UInt8 = 1, x2APIC: Bool = false, _ change: (ModelIntel) -> Void = { _ in }
  ) throws -> (ModelHost, ModelIntel, AnyIOMMU) {
    var host = ModelHost()
    let model = ModelIntel(host)
    change(model)
    let body = TestTables.dmar([TestTables.unit(0xfed9_0000, flags: 1, [TestTables.ioapic])], flags: flags)
    let tables = TestTables("DMAR", body)
    let description = try IntelRemapping(tables.system(), in: tables)
    let iommu = AnyIOMMU.intel(try IntelIOMMU(description, usesX2APIC: x2APIC, &host) { _ in nil })
    try iommu.enable(host)
    return (host, model, iommu)
  }

  @Test func `a device's message arrives where it was sent to, from this device alone`() throws {
    let (host, model, iommu) = try rig()
    #expect(iommu.remapsInterrupts)
    let first = try iommu.makeInterrupt(from: .device(card), to: InterruptTarget(vector: 0x41, apicID: 3), host)
    let second = try iommu.makeInterrupt(from: .device(card), to: InterruptTarget(vector: 0x42, apicID: 1), host)

    #expect(first.message == InterruptMessage(address: 0xfee0_0018, data: 0))
    #expect(second.message == InterruptMessage(address: 0xfee0_0038, data: 0))
    #expect(model.interrupt(card, first.message.address, 0) == Arrival(vector: 0x41, core: 3))
    #expect(model.interrupt(card, second.message.address, 0) == Arrival(vector: 0x42, core: 1))

    #expect(model.interrupt(at(0, 3), first.message.address, 0) == nil)
    let fault = iommu.nextFault(host)
    #expect(fault?.reason == .badInterrupt)
    #expect(fault.map { text($0.line) } == "DMA of 00:03.0 stopped: it sent an interrupt that is not its own (0x26)")
  }

  @Test func `a message without an entry, or of the old form, does not arrive`() throws {
    let (host, model, iommu) = try rig()
    #expect(model.interrupt(card, 0xfee0_3000, 0x41) == nil)
    #expect(iommu.nextFault(host)?.code == 0x25)
    #expect(model.interrupt(card, 0xfee0_0018, 5) == nil)
    #expect(iommu.nextFault(host)?.code == 0x22)
    #expect(model.interrupt(card, 0xfee0_0018, 2000) == nil)
    #expect(iommu.nextFault(host)?.code == 0x21)
  }

  @Test func `an interrupt can be moved, held and given back`() throws {
    let (host, model, iommu) = try rig()
    var interrupt = try iommu.makeInterrupt(from: .device(card), to: InterruptTarget(vector: 0x41, apicID: 0), host)
    let address = interrupt.message.address
    #expect(model.interrupt(card, address, 0)?.vector == 0x41)

    try iommu.retarget(&interrupt, to: InterruptTarget(vector: 0x55, apicID: 7), host)
    #expect(interrupt.message.address == address)
    #expect(model.interrupt(card, address, 0) == Arrival(vector: 0x55, core: 7))
    try iommu.retarget(&interrupt, to: nil, host)
    #expect(model.interrupt(card, address, 0) == nil)
    // It is still taken.
    let other = try iommu.makeInterrupt(from: .device(card), to: InterruptTarget(vector: 0x42, apicID: 0), host)
    #expect(other.message.address != address)
    try iommu.remove(interrupt, host)
    let again = try iommu.makeInterrupt(from: .device(at(0, 4)), to: InterruptTarget(vector: 0x43, apicID: 0), host)
    #expect(again.message.address == address)
    #expect(model.interrupt(card, address, 0) == nil)
    #expect(model.interrupt(at(0, 4), address, 0)?.vector == 0x43)
  }

  @Test func `a device that does not stop raises nothing, without a record, until it is let through again`() throws {
    let (host, model, iommu) = try rig()
    let mine = try (0..<3).map {
      try iommu.makeInterrupt(from: .device(card), to: InterruptTarget(vector: 0x41 + $0, apicID: 3), host)
    }
    let other = try iommu.makeInterrupt(from: .device(at(0, 4)), to: InterruptTarget(vector: 0x50, apicID: 1), host)
    var held = mine[2]
    try iommu.retarget(&held, to: nil, host)
    for one in mine { _ = model.interrupt(card, one.message.address, 0) }
    while iommu.nextFault(host) != nil {}

    try iommu.admitInterrupts(of: card, false, host)
    for one in mine.prefix(2) { #expect(model.interrupt(card, one.message.address, 0) == nil) }
    #expect(iommu.nextFault(host) == nil)
    #expect(model.interrupt(at(0, 4), other.message.address, 0)?.vector == 0x50)
    // Its entries stay its own.
    let next = try iommu.makeInterrupt(from: .device(card), to: InterruptTarget(vector: 0x60, apicID: 0), host)
    #expect(!mine.map(\.message.address).contains(next.message.address))

    try iommu.admitInterrupts(of: card, true, host)
    #expect(mine.map { model.interrupt(card, $0.message.address, 0)?.vector } == [0x41, 0x42, nil])
    #expect(model.interrupt(card, mine[0].message.address, 0) == Arrival(vector: 0x41, core: 3))
  }

  @Test func `the table has an end`() throws {
    let (host, _, iommu) = try rig()
    let target = InterruptTarget(vector: 0x41, apicID: 0)
    for _ in 0..<1024 { _ = try iommu.makeInterrupt(from: .device(card), to: target, host) }
    #expect(throws: IOMMUError.noFreeInterrupt) { try iommu.makeInterrupt(from: .device(card), to: target, host) }
  }

  @Test func `an I/O APIC's line is remapped too`() throws {
    let (host, model, iommu) = try rig()
    let target = InterruptTarget(vector: 0x44, apicID: 1, isLevelTriggered: true)
    let line = try iommu.makeInterrupt(from: .ioapic(0), to: target, host)

    // Vector, active low, level, masked; format and index above.
    #expect(try line.redirection(target, isActiveLow: true) == 0x0001_0000_0001_a044)
    let second = try iommu.makeInterrupt(from: .ioapic(0), to: target, host)
    #expect(try second.redirection(target, isActiveLow: false) == 0x0003_0000_0001_8044)
    #expect(model.interrupt(at(0xff, 0), line.message.address, 0) == Arrival(vector: 0x44, core: 1, isLevel: true))
    #expect(throws: IOMMUError.unknownController(9)) { try iommu.makeInterrupt(from: .ioapic(9), to: target, host) }
  }

  @Test func `an I/O APIC's line can be an NMI, remapped or not`() throws {
    let target = InterruptTarget.nonMaskable(apicID: 3)
    #expect(try target.redirection(isActiveLow: true) == 0x0300_0000_0000_2400)
    let (host, model, iommu) = try rig()
    let line = try iommu.makeInterrupt(from: .ioapic(0), to: target, host)
    // The entry says how it is delivered: in the redirection entry these bits are none.
    #expect(try line.redirection(target, isActiveLow: false) == 0x0001_0000_0001_0000)
    #expect(model.interrupt(at(0xff, 0), line.message.address, 0) == Arrival(vector: 0, core: 3, isNonMaskable: true))
  }

  @Test func `cores' numbers have 8 bits, or 32 where the unit knows them`() throws {
    let far = InterruptTarget(vector: 0x41, apicID: 300)
    let (short, _, shortIOMMU) = try rig(x2APIC: true)
    #expect(throws: IOMMUError.coreOutOfReach) { try shortIOMMU.makeInterrupt(from: .device(card), to: far, short) }
    let (long, model, iommu) = try rig(x2APIC: true) { $0.extensions |= 1 << 4 }
    let interrupt = try iommu.makeInterrupt(from: .device(card), to: far, long)
    #expect(model.interrupt(card, interrupt.message.address, 0) == Arrival(vector: 0x41, core: 300))
  }

  @Test(arguments: [true, false])
  func `where interrupts are not remapped, messages go straight to the core`(isTableSilent: Bool) throws {
    let (host, model, iommu) = try rig(flags: isTableSilent ? 0 : 1) { if !isTableSilent { $0.extensions &= ~8 } }
    #expect(!iommu.remapsInterrupts)
    #expect(model.status & 1 << 25 == 0)
    var interrupt = try iommu.makeInterrupt(from: .device(card), to: InterruptTarget(vector: 0x41, apicID: 3), host)
    #expect(interrupt.message == InterruptMessage(address: 0xfee0_3000, data: 0x41))
    try iommu.retarget(&interrupt, to: InterruptTarget(vector: 0x42, apicID: 4), host)
    #expect(interrupt.message == InterruptMessage(address: 0xfee0_4000, data: 0x42))
    let target = InterruptTarget(vector: 0x44, apicID: 1, isLevelTriggered: true)
    let line = try iommu.makeInterrupt(from: .ioapic(9), to: target, host)
    #expect(try line.redirection(target, isActiveLow: true) == 0x0100_0000_0001_a044)
    // Without remapping a line's destination has 8 bits: cut, the number would be another core's.
    for number in [255, 256, 0x101, .max] as [UInt32] {
      let far = InterruptTarget(vector: 0x44, apicID: number)
      #expect(throws: IOMMUError.coreOutOfReach) { try line.redirection(far, isActiveLow: true) }
      #expect(throws: IOMMUError.coreOutOfReach) { try far.redirection(isActiveLow: false) }
    }
    #expect(try InterruptTarget(vector: 0x44, apicID: 254).redirection(isActiveLow: false) == 0xfe00_0000_0000_0044)
  }
}
