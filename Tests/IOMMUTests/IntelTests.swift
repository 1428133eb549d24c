// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware
import PCI
import TestSupport
import Testing

@testable import IOMMU

/// The driver of Intel's IOMMUs against a model of one.
@Suite struct IntelTests {
  private let card = at(0x66, 0)
  private let disk = at(0, 0x11, 5)
  private let guest: UInt64 = 0x1_0000_0000

  /// A machine with one unit for all devices, and the DMAR that says so.
  private struct Rig {
    var host: ModelHost
    let model: ModelIntel
    var iommu: AnyIOMMU

    init(
      flags: UInt8 = 1, x2APIC: Bool = false, records: Int = 1, pages: Int = 256,
      _ change: (ModelIntel) -> Void = { _ in }
    ) throws {
      host = ModelHost(pages: pages)
      model = ModelIntel(host, records: records)
      change(model)
      iommu = try Rig.iommu(host, [TestTables.unit(0xfed9_0000, flags: 1, [TestTables.ioapic])], flags, x2APIC)
    }

    static func iommu(
      _ host: ModelHost, _ units: [[UInt8]], _ flags: UInt8 = 1, _ x2APIC: Bool = false
    ) throws -> AnyIOMMU {
      var host = host
      let tables = TestTables("DMAR", TestTables.dmar(units, flags: flags))
      let description = try IntelRemapping(tables.system(), in: tables)
      return .intel(
        try IntelIOMMU(description, usesX2APIC: x2APIC, &host) { $0 == at(0, 0x1c) ? 2...4 : nil })
    }

    mutating func domain(_ address: UInt64, _ physical: UInt64, size: UInt64) throws -> DMADomain {
      let domain = try iommu.makeDomain(&host)
      try iommu.map(domain, at: address, to: PhysicalAddress(physical), size: size, .readWrite, &host)
      return domain
    }
  }

  @Test func `a device reaches its domain's memory, all others nothing, and that is reported`() throws {
    var rig = try Rig()
    let domain = try rig.domain(0, guest, size: 0x20_0000)
    try rig.iommu.attach(card, to: domain, &rig.host)
    #expect(rig.model.status == 0)
    try rig.iommu.enable(rig.host)

    #expect(rig.model.request(card, 0x1234, isWrite: true) == .memory(guest + 0x1234))
    #expect(rig.model.request(card, 0x1f_ffff, isWrite: false) == .memory(guest + 0x1f_ffff))
    #expect(rig.iommu.nextFault(rig.host) == nil)

    #expect(rig.model.request(card, 0x20_0010, isWrite: false) == .refused)
    let beyond = rig.iommu.nextFault(rig.host)
    #expect(beyond == DMAFault(source: card, address: 0x20_0000, isWrite: false, reason: .notMapped, code: 6))
    #expect(
      beyond.map { text($0.line) } == "DMA of 66:00.0 stopped, a read at 0x200000: that is not its memory (0x6)")

    #expect(rig.model.request(disk, 0x1000, isWrite: true) == .refused)
    #expect(
      rig.iommu.nextFault(rig.host)
        == DMAFault(source: disk, address: 0x1000, isWrite: true, reason: .notAttached, code: 1))
    #expect(rig.model.request(at(0x66, 0, 1), 0x1000, isWrite: true) == .refused)
    #expect(rig.iommu.nextFault(rig.host)?.code == 2)
    #expect(rig.model.request(card, 1 << 39, isWrite: true) == .refused)
    #expect(rig.iommu.nextFault(rig.host)?.reason == .outOfReach)
    #expect(rig.iommu.nextFault(rig.host) == nil)
  }

  @Test func `two domains do not see each other, and one may only be read`() throws {
    var rig = try Rig()
    let first = try rig.domain(0, guest, size: 0x1000)
    let second = try rig.iommu.makeDomain(&rig.host)
    try rig.iommu.map(second, at: 0, to: PhysicalAddress(0x2_0000_0000), size: 0x1000, .read, &rig.host)
    try rig.iommu.attach(card, to: first, &rig.host)
    try rig.iommu.attach(disk, to: second, &rig.host)
    try rig.iommu.enable(rig.host)

    #expect(rig.model.request(card, 0, isWrite: true) == .memory(guest))
    #expect(rig.model.request(disk, 0, isWrite: false) == .memory(0x2_0000_0000))
    #expect(rig.model.request(disk, 0, isWrite: true) == .refused)
    #expect(rig.iommu.nextFault(rig.host)?.code == 5)
  }

  @Test func `what changes while the unit is on counts at once`() throws {
    var rig = try Rig()
    try rig.iommu.enable(rig.host)
    let domain = try rig.domain(0, guest, size: 0x1000)
    let other = try rig.domain(0, 0x3_0000_0000, size: 0x1000)
    #expect(rig.model.request(card, 0, isWrite: true) == .refused)

    try rig.iommu.attach(card, to: domain, &rig.host)
    #expect(rig.model.request(card, 0, isWrite: true) == .memory(guest))
    try rig.iommu.attach(card, to: other, &rig.host)
    #expect(rig.model.request(card, 0, isWrite: true) == .memory(0x3_0000_0000))
    try rig.iommu.block(card, rig.host)
    #expect(rig.model.request(card, 0, isWrite: true) == .refused)

    rig.host.pagesLeft = 0
    try rig.iommu.attach(card, to: domain, &rig.host)
    #expect(rig.model.request(card, 0, isWrite: true) == .memory(guest))
  }

  @Test(arguments: [
    0x00d2_008c_222f_0406 as UInt64, 0x00d2_0084_2226_0206, 0x00d2_0080_2226_0206, 0x00d2_00ac_2238_0806,
  ])
  func `tables have the levels and pages that the unit knows`(capabilities: UInt64) throws {
    var rig = try Rig(pages: 1200) { $0.capabilities = capabilities }
    let physical: UInt64 = 0x40_0000_0000
    let domain = try rig.domain(0x4000_0000, physical, size: 0x4060_3000)
    try rig.iommu.attach(card, to: domain, &rig.host)
    try rig.iommu.enable(rig.host)

    for offset in stride(from: UInt64(0), to: 0x4060_3000, by: 0x20_1000) {
      #expect(rig.model.request(card, 0x4000_0000 + offset, isWrite: true) == .memory(physical + offset))
    }
    #expect(rig.model.request(card, 0x8060_2fff, isWrite: true) == .memory(physical + 0x4060_2fff))
    #expect(rig.model.request(card, 0x8060_3000, isWrite: true) == .refused)
    #expect(rig.model.request(card, 0x3fff_ffff, isWrite: true) == .refused)
  }

  @Test func `a unit that sees the caches needs no flush, and forces devices to look there too`() throws {
    var rig = try Rig { $0.extensions |= 0x81 }
    let domain = try rig.domain(0, guest, size: 0x1000)
    try rig.iommu.attach(card, to: domain, &rig.host)
    try rig.iommu.enable(rig.host)
    #expect(rig.model.request(card, 0, isWrite: true) == .memory(guest))
    #expect(rig.host.read(domain.table.root) & 3 == 3)
    #expect(!rig.host.cached.contains(guest | 3) && rig.host.cached.contains(guest | 3 | 1 << 11))
  }

  @Test func `what firmware left on is switched off first`() throws {
    let rig = try Rig { model in
      model.status = 1 << 31 | 1 << 30 | 1 << 26 | 1 << 25 | 1 << 24 | 1 << 23
      model.capabilities |= 1 << 4 | 1 << 5
      model.protection = 1 << 31 | 1
      model.faultStatus = 0x51
    }
    try rig.iommu.enable(rig.host)
    #expect(rig.model.status & 1 << 23 == 0)
    #expect(rig.model.status & 1 << 31 != 0)
    #expect(rig.model.protection == 0)
    #expect(rig.model.faultStatus == 0)
  }

  @Test func `a unit that is missing, too old, dead or stuck is an error, not an endless wait`() throws {
    #expect(throws: IOMMUError.missing) { try Rig { $0.isDead = true } }
    #expect(throws: IOMMUError.noQueuedInvalidation) { try Rig { $0.extensions &= ~2 } }
    #expect(throws: IOMMUError.noCommonTables) { try Rig { $0.capabilities &= ~0x1f00 } }
    let stuck = try Rig { $0.refusesQueue = true }
    #expect(throws: IOMMUError.timedOut) { try stuck.iommu.enable(stuck.host) }
    var small = ModelHost(pages: 2)
    _ = ModelIntel(small)
    #expect(throws: IOMMUError.outOfMemory) {
      _ = try Rig.iommu(small, [TestTables.unit(0xfed9_0000, flags: 1)])
    }
    small = ModelHost()
  }

  @Test func `more faults than records are told as such`() throws {
    var rig = try Rig(records: 3)
    try rig.iommu.enable(rig.host)
    try rig.iommu.enableFaultInterrupts(InterruptTarget(vector: 0x51, apicID: 2), rig.host)
    #expect(rig.model.faultMessage == [0x3c: 0x51, 0x40: 0xfee0_2000, 0x44: 0])

    for page in 0..<5 as Range<UInt64> { _ = rig.model.request(disk, page << 12, isWrite: false) }
    #expect((0..<3).map { _ in rig.iommu.nextFault(rig.host)?.address } == [0, 0x1000, 0x2000])
    #expect(rig.iommu.nextFault(rig.host)?.reason == .unrecorded)
    #expect(rig.iommu.nextFault(rig.host) == nil)
    #expect(rig.model.faultMessages == 1)

    _ = rig.model.request(disk, 0x9000, isWrite: false)
    #expect(rig.iommu.nextFault(rig.host)?.address == 0x9000)
    try rig.iommu.recordFaults(of: disk, false, &rig.host)
    #expect(rig.model.request(disk, 0x9000, isWrite: false) == .refused)
    #expect(rig.iommu.nextFault(rig.host) == nil)
    try rig.iommu.recordFaults(of: disk, true, &rig.host)
    #expect(rig.model.request(disk, 0x9000, isWrite: false) == .refused)
    #expect(rig.iommu.nextFault(rig.host) != nil)
  }

  // MARK: - Several units

  @Test func `a device is its unit's that names it, or that has all others`() throws {
    let host = ModelHost()
    let first = ModelIntel(host, base: 0xfed9_0000)
    let second = ModelIntel(host, base: 0xfeda_0000)
    second.capabilities = 0x00d2_008c_222f_0606
    let units = [
      TestTables.unit(0xfed9_0000, [TestTables.scope(2, 0, [0x1c, 0]), TestTables.scope(1, 0x66, [0, 0])]),
      TestTables.unit(0xfeda_0000, flags: 1),
      TestTables.region(0xa000_0000, 0xa000_ffff, [TestTables.scope(1, 0, [0x14, 0])]),
    ]
    var rig = host
    var iommu = try Rig.iommu(host, units)
    let domain = try iommu.makeDomain(&rig)
    try iommu.map(domain, at: 0, to: PhysicalAddress(guest), size: 0x1000, .readWrite, &rig)
    for device in [at(0, 0x1c), at(3, 1), card, disk] { try iommu.attach(device, to: domain, &rig) }
    try iommu.enable(rig)

    #expect([at(0, 0x1c), at(3, 1), card].allSatisfy { first.request($0, 0, isWrite: true) == .memory(guest) })
    #expect(second.request(disk, 0, isWrite: true) == .memory(guest))
    #expect(second.request(card, 0, isWrite: true) == .refused)
    #expect(iommu.nextFault(rig)?.source == card)
    #expect(iommu.reservedMemory(of: at(0, 0x14), 0)?.start == PhysicalAddress(0xa000_0000))
    #expect(iommu.reservedMemory(of: at(0, 0x14), 1) == nil)
    #expect(iommu.reservedMemory(of: card, 0) == nil)
  }

  @Test func `a device without a unit is refused`() throws {
    let host = ModelHost()
    _ = ModelIntel(host)
    var rig = host
    var iommu = try Rig.iommu(host, [TestTables.unit(0xfed9_0000, [TestTables.scope(1, 0, [1, 0])])])
    let domain = try iommu.makeDomain(&rig)
    #expect(!iommu.covers(card))
    #expect(throws: IOMMUError.notCovered(card)) { try iommu.attach(card, to: domain, &rig) }
    let elsewhere = FunctionAddress(segment: 1, bus: 0, device: 1, function: 0)
    #expect(throws: IOMMUError.notCovered(elsewhere)) { try iommu.attach(elsewhere, to: domain, &rig) }
  }
}
