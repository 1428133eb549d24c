// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware
import PCI
import TestSupport
import Testing

@testable import IOMMU

/// The driver of AMD's IOMMUs against a model of one.
@Suite struct AMDTests {
  private let card = at(0, 4)
  private let disk = at(0, 0x11, 5)
  private let guest: UInt64 = 0x1_0000_0000
  private static let all: [[UInt8]] = [[1, 0, 0, 0], [72, 0, 0, 0xd7, 9, 0xa0, 0, 1]]

  private struct Rig {
    var host: ModelHost
    let model: ModelAMD
    var iommu: AnyIOMMU

    init(
      _ entries: [[UInt8]] = AMDTests.all, others: [[UInt8]] = [], pages: Int = 1200,
      _ change: (ModelAMD) -> Void = { _ in }
    ) throws {
      host = ModelHost(pages: pages)
      model = ModelAMD(host)
      change(model)
      let body = TestTables.ivrs([TestTables.hardware(0xfed8_0000, flags: 1, entries)] + others)
      let tables = TestTables("IVRS", body)
      let description = try AMDRemapping(tables.system(), in: tables)
      iommu = .amd(try AMDIOMMU(description, &host))
    }

    mutating func domain(_ address: UInt64, _ physical: UInt64, size: UInt64) throws -> DMADomain {
      let domain = try iommu.makeDomain(&host)
      try iommu.map(domain, at: address, to: PhysicalAddress(physical), size: size, .readWrite, &host)
      return domain
    }
  }

  @Test func `a device reaches its domain's memory, all others nothing, and that is reported`() throws {
    var rig = try Rig()
    let domain = try rig.domain(0, guest, size: 0x8060_3000)
    try rig.iommu.attach(card, to: domain, &rig.host)
    #expect(rig.model.control == 0)
    try rig.iommu.enable(rig.host)
    #expect(rig.model.control == 0x1407)
    #expect(rig.model.read(0x20, width: 8) == 0)

    for offset in stride(from: UInt64(0), to: 0x8060_3000, by: 0x20_1000) {
      #expect(rig.model.request(card, offset, isWrite: true) == .memory(guest + offset))
    }
    #expect(rig.model.request(card, 0x8060_3010, isWrite: false) == .refused)
    #expect(
      rig.iommu.nextFault(rig.host)
        == DMAFault(source: card, address: 0x8060_3010, isWrite: false, reason: .notMapped, code: 2))
    #expect(rig.model.request(disk, 0x1000, isWrite: true) == .refused)
    #expect(
      rig.iommu.nextFault(rig.host)
        == DMAFault(source: disk, address: 0x1000, isWrite: true, reason: .notAttached, code: 2))
    #expect(rig.model.request(at(0xff, 31, 7), 0, isWrite: false) == .refused)
    #expect(rig.model.request(card, 1 << 48, isWrite: false) == .refused)
    #expect((0..<3).map { _ in rig.iommu.nextFault(rig.host) != nil } == [true, true, false])
  }

  @Test func `a flood of refused requests is muted, and others are heard again`() throws {
    var rig = try Rig()
    try rig.iommu.enable(rig.host)
    try rig.iommu.enableFaultInterrupts(InterruptTarget(vector: 0x51, apicID: 2), rig.host)
    var watch = FaultWatch()
    var taken = 0
    for number in 0..<10_000 as Range<UInt64> {
      let before = rig.model.eventInterrupts
      _ = rig.model.request(disk, number << 12, isWrite: true)
      if rig.model.eventInterrupts > before { watch.take(from: rig.iommu, rig.host) { _ in taken += 1 } }
    }
    #expect(watch.isMuted)
    #expect((FaultWatch.most...FaultWatch.most * 2).contains(taken))
    #expect(rig.model.control & 8 == 0, "no messages for events")

    // A log that ran full is emptied by parts, too.
    for _ in 0..<2 {
      for _ in 0..<1000 { _ = rig.host.now }
      watch.take(from: rig.iommu, rig.host) { _ in }
    }
    #expect(!watch.isMuted)
    let before = rig.model.eventInterrupts
    _ = rig.model.request(card, 0x1000, isWrite: true)
    #expect(rig.model.eventInterrupts == before + 1)
    var sources: [FunctionAddress?] = []
    watch.take(from: rig.iommu, rig.host) { sources.append($0.source) }
    #expect(sources == [card])
  }

  @Test func `what changes while the unit is on counts at once`() throws {
    var rig = try Rig()
    try rig.iommu.enable(rig.host)
    let domain = try rig.domain(0, guest, size: 0x1000)
    let other = try rig.iommu.makeDomain(&rig.host)
    try rig.iommu.map(other, at: 0, to: PhysicalAddress(0x3_0000_0000), size: 0x1000, .read, &rig.host)
    #expect(rig.model.request(card, 0, isWrite: true) == .refused)

    try rig.iommu.attach(card, to: domain, &rig.host)
    #expect(rig.model.request(card, 0, isWrite: true) == .memory(guest))
    try rig.iommu.attach(card, to: other, &rig.host)
    #expect(rig.model.request(card, 0, isWrite: false) == .memory(0x3_0000_0000))
    #expect(rig.model.request(card, 0, isWrite: true) == .refused)
    try rig.iommu.block(card, rig.host)
    #expect(rig.model.request(card, 0, isWrite: false) == .refused)

    rig.host.pagesLeft = 0
    try rig.iommu.attach(card, to: domain, &rig.host)
    #expect(rig.model.request(card, 0, isWrite: true) == .memory(guest))
  }

  @Test func `a device that others speak for is attached by both names, interrupts too`() throws {
    var rig = try Rig([[66, 0x10, 3, 0, 0, 0xf8, 2, 0], [72, 0, 0, 0, 9, 0xa0, 0, 1]])
    let domain = try rig.domain(0, guest, size: 0x1000)
    let device = FunctionAddress(requester: 0x310)
    let alias = FunctionAddress(requester: 0x2f8)
    try rig.iommu.attach(device, to: domain, &rig.host)
    try rig.iommu.enable(rig.host)
    var interrupt = try rig.iommu.makeInterrupt(
      from: .device(device), to: InterruptTarget(vector: 0x41, apicID: 2), rig.host)

    #expect(rig.model.request(alias, 0, isWrite: true) == .memory(guest))
    #expect(rig.model.interrupt(alias, 0xfee0_0000, interrupt.message.data) == Arrival(vector: 0x41, core: 2))
    try rig.iommu.retarget(&interrupt, to: nil, rig.host)
    #expect(rig.model.interrupt(alias, 0xfee0_0000, interrupt.message.data) == nil)
    try rig.iommu.block(device, rig.host)
    #expect(rig.model.request(alias, 0, isWrite: true) == .refused)
    #expect(rig.iommu.covers(device))
    #expect(!rig.iommu.covers(card))
    #expect(throws: IOMMUError.notCovered(card)) { try rig.iommu.attach(card, to: domain, &rig.host) }
  }

  @Test func `an interrupt controller's messages pass, and nobody gets its address`() throws {
    var rig = try Rig()
    let domain = try rig.domain(0, guest, size: 0x1000)
    try rig.iommu.enable(rig.host)
    let controller = at(0, 0x14)
    #expect(throws: IOMMUError.sharedWithController(controller)) {
      try rig.iommu.attach(controller, to: domain, &rig.host)
    }
    try rig.iommu.block(controller, rig.host)
    #expect(rig.model.interrupt(controller, 0xfee0_2000, 0x41) == Arrival(vector: 0x41, core: 2))
    #expect(rig.model.request(controller, 0, isWrite: true) == .refused)

    let target = InterruptTarget(vector: 0x44, apicID: 1, isLevelTriggered: true)
    let line = try rig.iommu.makeInterrupt(from: .ioapic(9), to: target, rig.host)
    #expect(try line.redirection(target, isActiveLow: true) == 0x0100_0000_0001_a044)
  }

  @Test func `a device raises its own interrupts alone`() throws {
    var rig = try Rig()
    let domain = try rig.domain(0, guest, size: 0x1000)
    let target = InterruptTarget(vector: 0x41, apicID: 3)
    #expect(throws: IOMMUError.notAttached(card)) {
      try rig.iommu.makeInterrupt(from: .device(card), to: target, rig.host)
    }
    try rig.iommu.attach(card, to: domain, &rig.host)
    try rig.iommu.attach(disk, to: domain, &rig.host)
    try rig.iommu.enable(rig.host)
    let first = try rig.iommu.makeInterrupt(from: .device(card), to: target, rig.host)
    var second = try rig.iommu.makeInterrupt(
      from: .device(card), to: InterruptTarget(vector: 0x42, apicID: 1), rig.host)

    #expect(second.message == InterruptMessage(address: 0xfee0_0000, data: 1))
    #expect(rig.model.interrupt(card, 0xfee0_0000, first.message.data) == Arrival(vector: 0x41, core: 3))
    #expect(rig.model.interrupt(card, 0xfee0_0000, 1) == Arrival(vector: 0x42, core: 1))
    try rig.iommu.retarget(&second, to: InterruptTarget(vector: 0x43, apicID: 0), rig.host)
    #expect(rig.model.interrupt(card, 0xfee0_0000, 1) == Arrival(vector: 0x43, core: 0))
    #expect(rig.model.interrupt(disk, 0xfee0_0000, 0) == nil)
    #expect(rig.iommu.nextFault(rig.host)?.reason == .badInterrupt)
    #expect(rig.model.interrupt(at(0, 7), 0xfee0_3000, 0x41) == nil)
    try rig.iommu.remove(first, rig.host)
    #expect(rig.model.interrupt(card, 0xfee0_0000, 0) == nil)
    for _ in 0..<255 { _ = try rig.iommu.makeInterrupt(from: .device(card), to: target, rig.host) }
    #expect(throws: IOMMUError.noFreeInterrupt) {
      try rig.iommu.makeInterrupt(from: .device(card), to: target, rig.host)
    }
    let far = InterruptTarget(vector: 0x41, apicID: 255)
    #expect(throws: IOMMUError.coreOutOfReach) { try rig.iommu.retarget(&second, to: far, rig.host) }
  }

  @Test func `a device that does not stop raises nothing, without a record, until it is let through again`() throws {
    var rig = try Rig()
    let domain = try rig.domain(0, guest, size: 0x1000)
    for device in [card, disk] { try rig.iommu.attach(device, to: domain, &rig.host) }
    try rig.iommu.enable(rig.host)
    for vector in [0x41, 0x42, 0x43] as [UInt8] {
      _ = try rig.iommu.makeInterrupt(from: .device(card), to: InterruptTarget(vector: vector, apicID: 2), rig.host)
    }
    _ = try rig.iommu.makeInterrupt(from: .device(disk), to: InterruptTarget(vector: 0x50, apicID: 1), rig.host)
    for number in 0..<3 as Range<UInt32> { _ = rig.model.interrupt(card, 0xfee0_0000, number) }

    try rig.iommu.admitInterrupts(of: card, false, rig.host)
    for number in 0..<3 as Range<UInt32> { #expect(rig.model.interrupt(card, 0xfee0_0000, number) == nil) }
    #expect(rig.iommu.nextFault(rig.host) == nil)
    #expect(rig.model.interrupt(disk, 0xfee0_0000, 0)?.vector == 0x50)

    try rig.iommu.admitInterrupts(of: card, true, rig.host)
    let vectors = (0..<3 as Range<UInt32>).map { rig.model.interrupt(card, 0xfee0_0000, $0)?.vector }
    #expect(vectors == [0x41, 0x42, 0x43])
  }

  @Test func `interrupts of a device that is no longer recorded are not either, by all its names`() throws {
    var rig = try Rig([[66, 0x10, 3, 0, 0, 0xf8, 2, 0], [72, 0, 0, 0, 9, 0xa0, 0, 1]])
    let device = FunctionAddress(requester: 0x310)
    let alias = FunctionAddress(requester: 0x2f8)
    try rig.iommu.attach(device, to: try rig.domain(0, guest, size: 0x1000), &rig.host)
    try rig.iommu.enable(rig.host)
    for isRecorded in [false, true] {
      try rig.iommu.recordFaults(of: device, isRecorded, &rig.host)
      for name in [device, alias] {
        #expect(rig.model.interrupt(name, 0xfee0_0000, 9) == nil)
        #expect((rig.iommu.nextFault(rig.host) != nil) == isRecorded)
        #expect(rig.model.request(name, 0x9000, isWrite: true) == .refused)
        #expect((rig.iommu.nextFault(rig.host) != nil) == isRecorded)
      }
    }
  }

  @Test func `where the firmware names no I/O APIC, messages go straight to the core`() throws {
    var rig = try Rig([[1, 0, 0, 0]])
    let domain = try rig.domain(0, guest, size: 0x1000)
    try rig.iommu.attach(card, to: domain, &rig.host)
    try rig.iommu.enable(rig.host)
    #expect(!rig.iommu.remapsInterrupts)
    let interrupt = try rig.iommu.makeInterrupt(
      from: .device(card), to: InterruptTarget(vector: 0x41, apicID: 2), rig.host)
    #expect(interrupt.message == InterruptMessage(address: 0xfee0_2000, data: 0x41))
    #expect(rig.model.interrupt(card, 0xfee0_2000, 0x41) == Arrival(vector: 0x41, core: 2))
    #expect(rig.model.interrupt(disk, 0xfee0_2000, 0x41) == nil)
  }

  @Test func `more events than the ring has room for are told as such`() throws {
    var rig = try Rig()
    try rig.iommu.enable(rig.host)
    try rig.iommu.enableFaultInterrupts(InterruptTarget(vector: 0x51, apicID: 0), rig.host)
    #expect(rig.iommu.faultSource(0) == at(0, 0, 2))
    #expect(rig.iommu.faultSource(1) == nil)
    for page in 0..<300 as Range<UInt64> { _ = rig.model.request(disk, page << 12, isWrite: false) }
    #expect(rig.model.eventInterrupts == 1)
    for page in 0..<255 as Range<UInt64> { #expect(rig.iommu.nextFault(rig.host)?.address == page << 12) }
    #expect(rig.iommu.nextFault(rig.host)?.reason == .unrecorded)
    #expect(rig.iommu.nextFault(rig.host) == nil)

    _ = rig.model.request(disk, 0x9000, isWrite: false)
    #expect(rig.iommu.nextFault(rig.host)?.address == 0x9000)
    try rig.iommu.recordFaults(of: disk, false, &rig.host)
    #expect(rig.model.request(disk, 0x9000, isWrite: false) == .refused)
    #expect(rig.iommu.nextFault(rig.host) == nil)
    rig.model.announce()
    #expect(rig.iommu.nextFault(rig.host) == nil)
  }

  @Test func `events of all kinds read as what they are`() throws {
    let rig = try Rig()
    try rig.iommu.enable(rig.host)
    for code in 1...9 as ClosedRange<UInt64> { rig.model.raise(code << 60 | 8, 0x1000) }
    let faults = (0..<9).compactMap { _ in rig.iommu.nextFault(rig.host) }
    #expect(
      faults.map(\.reason) == [
        .badTables, .notAttached, .badTables, .badTables, .badCommand, .badCommand, .badCommand, .badRequest,
        .badRequest,
      ])
    #expect(faults[4].source == nil)
    #expect(text(faults[4].line) == "DMA: the IOMMU refused a command")
  }

  @Test func `a unit without the command that forgets all is told one by one`() throws {
    let rig = try Rig { $0.extensions = 0 }
    try rig.iommu.enable(rig.host)
    #expect(rig.model.operations.filter { $0 == 2 }.count == 65536)
    #expect(rig.model.operations.filter { $0 == 3 }.count == 1)
  }

  @Test func `a unit that is missing or stuck is an error, not an endless wait`() throws {
    #expect(throws: IOMMUError.missing) { try Rig { $0.isDead = true } }
    let stuck = try Rig { $0.isStuck = true }
    #expect(throws: IOMMUError.timedOut) { try stuck.iommu.enable(stuck.host) }
    #expect(throws: IOMMUError.outOfMemory) { try Rig(pages: 256) }
  }

  @Test func `a unit of another segment is left alone, and so are its devices`() throws {
    let rig = try Rig(others: [TestTables.hardware(0xfeb0_0000, segment: 1, [[1, 0, 0, 0]])])
    try rig.iommu.enable(rig.host)
    #expect(rig.iommu.covers(card))
    #expect(!rig.iommu.covers(FunctionAddress(segment: 1, requester: card.requester)))
    #expect(rig.iommu.faultSource(1) == nil)
  }

  @Test func `memory that firmware needs for a device is told`() throws {
    let rig = try Rig(others: [TestTables.memory(card.requester, 0xa000_0000, 0x1000)])
    #expect(rig.iommu.reservedMemory(of: card, 0)?.start == PhysicalAddress(0xa000_0000))
    #expect(rig.iommu.reservedMemory(of: card, 1) == nil)
    #expect(rig.iommu.reservedMemory(of: disk, 0) == nil)
  }
}
