// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware
import TestSupport
import Testing

@testable import IOMMU

/// What may be mapped, for both makers' tables.
@Suite struct MappingTests {
  private func form(_ maker: TableForm.Maker, levels: Int = 3, largest: Int = 2) -> TableForm {
    TableForm(
      maker: maker, levels: levels, largestLevel: largest, limit: 1 << UInt64(12 + 9 * levels),
      physicalLimit: 1 << 46, isCoherent: true, forcesCoherence: false)
  }

  private func error(
    _ maker: TableForm.Maker, levels: Int = 3, _ address: UInt64, _ physical: UInt64, _ size: UInt64
  ) throws -> IOMMUError? {
    var host = ModelHost(pages: 64)
    let table = try TranslationTable(form(maker, levels: levels), &host)
    do throws(IOMMUError) {
      try table.map(address, to: PhysicalAddress(physical), size: size, .readWrite, &host)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [TableForm.Maker.intel, .amd])
  func `only whole pages inside both address spaces can be mapped`(maker: TableForm.Maker) throws {
    #expect(try error(maker, 0, 0, 0x1000) == nil)
    #expect(try error(maker, (1 << 39) - 0x1000, (1 << 46) - 0x1000, 0x1000) == nil)
    #expect(try error(maker, 0, 0, 0) == .badRange)
    #expect(try error(maker, 0x800, 0, 0x1000) == .badRange)
    #expect(try error(maker, 0, 0x800, 0x1000) == .badRange)
    #expect(try error(maker, 0, 0, 0x1800) == .badRange)
    #expect(try error(maker, (1 << 39) - 0x1000, 0, 0x2000) == .badRange)
    #expect(try error(maker, 0, (1 << 46) - 0x1000, 0x2000) == .badRange)
    #expect(try error(maker, .max - 0xfff, 0, 0x1000) == .badRange)
    #expect(try error(maker, 0, .max - 0xfff, 0x1000) == .badRange)
  }

  @Test(arguments: [TableForm.Maker.intel, .amd])
  func `where interrupts are written no memory can be`(maker: TableForm.Maker) throws {
    #expect(try error(maker, 0xfee0_0000, 0, 0x1000) == .reservedRange)
    #expect(try error(maker, 0xfeef_f000, 0, 0x1000) == .reservedRange)
    #expect(try error(maker, 0xf000_0000, 0, 0x1000_0000) == .reservedRange)
    #expect(try error(maker, 0xfedf_f000, 0, 0x1000) == nil)
    #expect(try error(maker, 0xfef0_0000, 0, 0x1000) == nil)
  }

  @Test func `on AMD's bus the end of the first TiB is the bus's own`() throws {
    #expect(try error(.amd, levels: 4, 0xfd_0000_0000, 0, 0x1000) == .reservedRange)
    #expect(try error(.intel, levels: 4, 0xfd_0000_0000, 0, 0x1000) == nil)
    #expect(try error(.amd, levels: 4, 0x100_0000_0000, 0, 0x1000) == nil)
  }

  @Test(arguments: [TableForm.Maker.intel, .amd])
  func `nothing is mapped twice`(maker: TableForm.Maker) throws {
    var host = ModelHost(pages: 64)
    let table = try TranslationTable(form(maker), &host)
    try table.map(0x4000_0000, to: PhysicalAddress(0x4000_0000), size: 0x4000_0000, .readWrite, &host)
    try table.map(0x1000, to: PhysicalAddress(0x1000), size: 0x1000, .readWrite, &host)
    for (address, size) in [(0x4000_0000, 0x4000_0000), (0x4020_0000, 0x1000), (0x1000, 0x1000), (0, 0x20_0000)] {
      #expect(throws: IOMMUError.alreadyMapped) {
        try table.map(UInt64(address), to: PhysicalAddress(0), size: UInt64(size), .readWrite, &host)
      }
    }
  }

  @Test func `a table that gets no page is an error`() throws {
    var host = ModelHost(pages: 2)
    let table = try TranslationTable(form(.intel), &host)
    #expect(throws: IOMMUError.outOfMemory) {
      try table.map(0, to: PhysicalAddress(0), size: 0x1000, .read, &host)
    }
  }

  @Test func `domains have an end`() throws {
    var host = ModelHost(pages: 64)
    let model = ModelIntel(host)
    model.capabilities &= ~7
    let tables = TestTables("DMAR", TestTables.dmar([TestTables.unit(0xfed9_0000, flags: 1)]))
    var iommu = try IntelIOMMU(.init(tables.system(), in: tables), usesX2APIC: false, &host) { _ in nil }
    for number in 1...15 as ClosedRange<UInt16> { #expect(try iommu.makeDomain(&host).number == number) }
    #expect(throws: IOMMUError.tooManyDomains) { try iommu.makeDomain(&host) }
  }

  @Test func `random ranges are mapped as they were asked for`() throws {
    var random = SplitMix64(seed: 39)
    for _ in 0..<fuzzRounds(12) {
      let host = ModelHost()
      let model = ModelIntel(host)
      var rig = host
      let tables = TestTables("DMAR", TestTables.dmar([TestTables.unit(0xfed9_0000, flags: 1)]))
      var iommu = try IntelIOMMU(.init(tables.system(), in: tables), usesX2APIC: false, &rig) { _ in nil }
      let domain = try iommu.makeDomain(&rig)
      try iommu.attach(at(1, 0), to: domain, &rig)
      try iommu.enable(rig)
      var mapped: [(UInt64, UInt64, UInt64)] = []
      for _ in 0..<20 {
        let border: UInt64 = 4096 << (9 * (random.next() % 3))
        let address = random.next() % (1 << 38) / border * border
        let physical = random.next() % (1 << 44) / border * border
        let size = (1 + random.next() % 600) * 4096
        let isFree = mapped.allSatisfy { address + size <= $0.0 || $0.0 + $0.2 <= address }
        do throws(IOMMUError) {
          try iommu.map(domain, at: address, to: PhysicalAddress(physical), size: size, .readWrite, &rig)
          #expect(isFree)
          mapped.append((address, physical, size))
        } catch {
          guard error == .alreadyMapped, !isFree else { break }
          // Part of it may be there now: this domain is not to be looked at any more.
          break
        }
      }
      for (address, physical, size) in mapped {
        for offset in [0, size - 1, random.next() % size] {
          #expect(model.request(at(1, 0), address + offset, isWrite: true) == .memory(physical + offset))
        }
        let isLast = !mapped.contains { $0.0 <= address + size && address + size < $0.0 + $0.2 }
        if isLast { #expect(model.request(at(1, 0), address + size, isWrite: false) == .refused) }
        _ = iommu.nextFault(rig)
      }
    }
  }
}

/// An IOMMU whose registers say anything: no call traps, and all come back.
@Suite struct IOMMUFuzzTests {
  private final class Noise: ModelRegisters {
    let base: UInt64 = 0xfed9_0000
    var random: SplitMix64
    init(_ random: SplitMix64) { self.random = random }
    func read(_ offset: UInt64, width: Int) -> UInt64 {
      let value = random.next() % 3 == 0 ? 0 : random.next()
      return width == 4 ? value & 0xffff_ffff : value
    }
    func write(_ value: UInt64, at offset: UInt64, width: Int) {}
  }

  @Test func `registers that say anything`() throws {
    var random = SplitMix64(seed: 5)
    let intelTables = TestTables("DMAR", TestTables.dmar([TestTables.unit(0xfed9_0000, flags: 1)]))
    let amdTables = TestTables("IVRS", TestTables.ivrs([TestTables.hardware(0xfed9_0000, [[1, 0, 0, 0]])]))
    let intel = try IntelRemapping(intelTables.system(), in: intelTables)
    let amd = try AMDRemapping(amdTables.system(), in: amdTables)
    for round in 0..<fuzzRounds(60) {
      var host = ModelHost(pages: 1100)
      host.registers.append(Noise(SplitMix64(seed: random.next())))
      let made =
        round % 6 == 0
        ? (try? AMDIOMMU(amd, &host)).map(AnyIOMMU.amd)
        : (try? IntelIOMMU(intel, usesX2APIC: true, &host) { _ in nil }).map(AnyIOMMU.intel)
      guard var iommu = made else { continue }
      try? iommu.enable(host)
      guard let domain = try? iommu.makeDomain(&host) else { continue }
      try? iommu.map(domain, at: 0, to: PhysicalAddress(0x20_0000), size: 0x40_0000, .readWrite, &host)
      try? iommu.attach(at(1, 0), to: domain, &host)
      for _ in 0..<20 { _ = iommu.nextFault(host) }
      _ = try? iommu.makeInterrupt(from: .device(at(1, 0)), to: InterruptTarget(vector: 1, apicID: 0), host)
      try? iommu.recordFaults(of: at(1, 0), false, &host)
      try? iommu.block(at(1, 0), host)
    }
  }
}
