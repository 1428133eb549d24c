// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware
import TestSupport
import Testing

@testable import IOMMU

/// What is refused is heard of, whoever sends how much of it.
@Suite struct FaultTests {
  private let card = at(0x66, 0)
  private let disk = at(0, 0x11, 5)

  /// A machine with one unit, which signals what it refuses.
  private struct Rig {
    var host = ModelHost()
    let model: ModelIntel
    var iommu: AnyIOMMU
    var watch = FaultWatch()

    init(records: Int) throws {
      model = ModelIntel(host, records: records)
      let tables = TestTables("DMAR", TestTables.dmar([TestTables.unit(0xfed9_0000, flags: 1)], flags: 1))
      let description = try IntelRemapping(tables.system(), in: tables)
      iommu = .intel(try IntelIOMMU(description, usesX2APIC: false, &host) { _ in nil })
      try iommu.enable(host)
      try iommu.enableFaultInterrupts(InterruptTarget(vector: 0x51, apicID: 2), host)
    }

    /// Takes what there is. → of whom
    mutating func take() -> [FunctionAddress?] {
      var sources: [FunctionAddress?] = []
      watch.take(from: iommu, host) { sources.append($0.source) }
      return sources
    }

    /// Lets a window pass.
    func pass() { for _ in 0..<1000 { _ = host.now } }
  }

  @Test func `a unit that is not emptied signals nothing more`() throws {
    let rig = try Rig(records: 100)
    for page in 0..<65 as Range<UInt64> { _ = rig.model.request(disk, page << 12, isWrite: false) }
    for _ in 0..<64 { _ = rig.iommu.nextFault(rig.host) }
    _ = rig.model.request(card, 0x1000, isWrite: true)
    #expect(rig.model.faultMessages == 1)
  }

  @Test func `after 65 refused requests one more is signalled`() throws {
    var rig = try Rig(records: 100)
    for page in 0..<65 as Range<UInt64> { _ = rig.model.request(disk, page << 12, isWrite: false) }
    #expect(rig.model.faultMessages == 1)
    #expect(rig.take().count == 65)

    _ = rig.model.request(card, 0x1000, isWrite: true)
    #expect(rig.model.faultMessages == 2)
    #expect(rig.take() == [card])
  }

  @Test func `a flood of interrupts that are refused is looked at in part, and others are heard again`() throws {
    var rig = try Rig(records: 1)
    var taken = 0
    for _ in 0..<10_000 {
      let before = rig.model.faultMessages
      _ = rig.model.interrupt(disk, 0xfee0_0010 | 5 << 5, 0)
      if rig.model.faultMessages > before { taken += rig.take().count }
    }
    #expect(rig.watch.isMuted)
    #expect((FaultWatch.most...FaultWatch.most * 2).contains(taken), "each look takes time, so a window may end")
    #expect(rig.take().isEmpty, "muted")

    rig.pass()
    _ = rig.take()
    #expect(!rig.watch.isMuted)
    let before = rig.model.faultMessages
    _ = rig.model.request(card, 0x1000, isWrite: true)
    #expect(rig.model.faultMessages == before + 1)
    #expect(rig.take() == [card])
  }

  @Test func `what is refused while a unit is muted is signalled when it no longer is`() throws {
    let rig = try Rig(records: 4)
    rig.iommu.signalFaults(false, rig.host)
    _ = rig.model.request(card, 0x1000, isWrite: true)
    #expect(rig.model.faultMessages == 0)
    rig.iommu.signalFaults(true, rig.host)
    #expect(rig.model.faultMessages == 1)
  }

  // MARK: - Reports

  @Test func `a device has eight lines, then none until its owner starts anew`() {
    var reports = FaultReports()
    let answers = (0..<10).map { _ in reports.count(card) }
    #expect(answers == [FaultReports.Answer](repeating: .report, count: 7) + [.reportAndSilence, .ignore, .ignore])
    #expect(reports.forget(card) == .wasSilenced)
    #expect(reports.count(card) == .report)
    #expect(reports.forget(card) == .wasHeard)
  }

  @Test func `the seventeenth device is silenced, and one line says so`() {
    var reports = FaultReports()
    for number in 0..<16 as Range<UInt16> { #expect(reports.count(FunctionAddress(requester: number)) == .report) }
    #expect(reports.count(at(1, 0)) == .silence(isFirst: true))
    #expect((0..<240).allSatisfy { reports.count(FunctionAddress(requester: 0x200 + $0)) == .silence(isFirst: false) })
    #expect(reports.count(FunctionAddress(requester: 3)) == .report, "those with a place keep it")
    #expect(reports.forget(at(1, 0)) == .wasSilenced)
  }

  @Test func `what is nobody knows whose has eight lines too`() {
    var reports = FaultReports()
    #expect((0..<100).filter { _ in reports.count(nil) != .ignore }.count == 8)
    _ = reports.forget(card)
    #expect(reports.count(nil) == .report)
  }
}
