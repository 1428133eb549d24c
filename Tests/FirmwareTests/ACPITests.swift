// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

@Suite struct SystemTablesTests {
  @Test(arguments: [0x9_fc10, 0xe_0000, 0xf_ffd0] as [UInt64], [true, false])
  func `the root pointer is found where BIOSes leave it`(root: UInt64, isWide: Bool) throws {
    var tables = Tables()
    tables.root = root
    tables.isWide = isWide
    tables.memory.put(UInt16(0x9fc0), at: 0x40e)
    let address = tables.add("APIC", madt([processor(0)]))
    tables.finish()

    #expect(try tables.system().find(.madt, in: tables.memory).start == PhysicalAddress(address))
  }

  @Test func `a given root pointer is used, and must be one`() throws {
    let tables = system([("APIC", madt([processor(0)]))])
    #expect(throws: Never.self) { try tables.system(given: 0xf_0010) }
    var hidden = tables
    hidden.memory.content[0xf_0010] = 0
    #expect(throws: ACPIError(.root, .badSignature)) { try hidden.system(given: 0xf_0020) }
    #expect(throws: ACPIError(.root, .unreadable)) { try hidden.system(given: .max) }
    #expect(throws: ACPIError(.root, .missing)) { try SystemTables(rsdp: nil, in: TestMemory(size: 0x10_0000)) }
    #expect(throws: ACPIError(.root, .missing)) { try SystemTables(rsdp: nil, in: TestMemory(size: 16)) }
  }

  @Test func `a root pointer whose sums are wrong is refused`() {
    var tables = system([])
    tables.memory.content[0xf_0010 + 9] ^= 1
    #expect(throws: ACPIError(.root, .badChecksum)) { try tables.system(given: 0xf_0010) }
    // Without a sound second part there is no XSDT, and this machine has no RSDT.
    var second = system([])
    second.memory.content[0xf_0010 + 25] ^= 1
    #expect(throws: ACPIError(.root, .badAddress)) { try second.system(given: 0xf_0010) }
  }

  @Test func `a table with a wrong sum is used and told, one with a wrong length refused, the others are found`() throws
  {
    var tables = Tables()
    let madtAddress = tables.add("APIC", madt([processor(0)]))
    let mcfgAddress = tables.add("MCFG", [UInt8](repeating: 0, count: 8))
    _ = tables.add("HPET", [UInt8](repeating: 0, count: 20))
    tables.finish()
    tables.memory.content[Int(madtAddress) + 40] ^= 0xff
    tables.memory.put(UInt32.max, at: mcfgAddress + 4)

    let list = try tables.system()
    #expect(try list.find(.madt, in: tables.memory).start == PhysicalAddress(madtAddress))
    #expect(list.problem(.madt, in: tables.memory) == ACPIError(.madt, .badChecksum))
    #expect(throws: ACPIError(.mcfg, .badLength)) { try list.find(.mcfg, in: tables.memory) }
    #expect(list.problem(.mcfg, in: tables.memory) == ACPIError(.mcfg, .badLength))
    #expect(throws: ACPIError(.fadt, .missing)) { try list.find(.fadt, in: tables.memory) }
    #expect(list.problem(.fadt, in: tables.memory) == nil)
    #expect(throws: Never.self) { try list.find(.hpet, in: tables.memory) }
    #expect(list.problem(.hpet, in: tables.memory) == nil)
    #expect(list.listProblem == nil)
  }

  @Test func `of two tables with one signature the sound one counts`() throws {
    var tables = Tables()
    let short = tables.add("APIC", madt([processor(0)]))
    let damaged = tables.add("APIC", madt([processor(0)]))
    let sound = tables.add("APIC", madt([processor(0)]))
    tables.finish()
    tables.memory.put(UInt32(35), at: short + 4)
    tables.memory.content[Int(damaged) + 40] ^= 0xff

    let list = try tables.system()
    #expect(try list.find(.madt, in: tables.memory).start == PhysicalAddress(sound))
    #expect(list.problem(.madt, in: tables.memory) == nil)
    tables.memory.content[Int(sound) + 40] ^= 0xff
    #expect(try tables.system().find(.madt, in: tables.memory).start == PhysicalAddress(damaged))
  }

  /// Where both lists are there, and the newer one is `newer`.
  private func twoLists(_ spoil: (inout TestMemory, _ newer: UInt64, _ older: UInt64) -> Void) throws -> Tables {
    var tables = Tables()
    let address = tables.add("APIC", madt([processor(0)]))
    tables.finish()
    let older: UInt64 = 0x2_0000
    tables.memory.put(Tables.sealed("RSDT", bytes(UInt32(address))), at: older)
    var pointer = Array(tables.memory.content[Int(tables.root)..<Int(tables.root) + 36])
    let newer = try #require(
      pointer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 24, as: UInt64.self) } as UInt64?)
    pointer.replaceSubrange(16..<20, with: bytes(UInt32(older)))
    (pointer[8], pointer[32]) = (0, 0)
    pointer[8] = Tables.checksum(Array(pointer.prefix(20)))
    pointer[32] = Tables.checksum(pointer)
    tables.memory.put(pointer, at: tables.root)
    spoil(&tables.memory, newer, older)
    return tables
  }

  @Test func `the older list serves where the newer one is not sound`() throws {
    let lost = try twoLists { memory, newer, _ in memory.put(UInt32.max, at: newer + 4) }
    #expect(throws: Never.self) { try lost.system().find(.madt, in: lost.memory) }
    #expect(try lost.system().listProblem == nil)
    let damaged = try twoLists { memory, newer, _ in memory.content[Int(newer) + 12] ^= 1 }
    #expect(try damaged.system().listProblem == nil)
    let both = try twoLists { memory, newer, older in
      memory.content[Int(newer) + 12] ^= 1
      memory.content[Int(older) + 12] ^= 1
    }
    #expect(throws: Never.self) { try both.system().find(.madt, in: both.memory) }
    #expect(try both.system().listProblem == ACPIError(.xsdt, .badChecksum))
    let neither = try twoLists { memory, newer, older in
      memory.put(UInt32(0), at: newer + 4)
      memory.put(UInt32(0), at: older + 4)
    }
    #expect(throws: ACPIError(.xsdt, .badLength)) { try neither.system() }
  }

  @Test func `a loader that names no root pointer is corrected by what BIOSes leave`() throws {
    let tables = system([("APIC", madt([processor(0)]))])
    for given in [0xf_0020, 0, .max] as [UInt64] {
      #expect(throws: Never.self) { try tables.system(given: given).find(.madt, in: tables.memory) }
    }
  }

  @Test func `an error reads as a sentence`() {
    #expect(text(ACPIError(.madt, .badChecksum).line) == "ACPI table APIC has a wrong checksum")
    #expect(text(ACPIError(.root, .missing).line) == "ACPI table RSDP is missing")
  }

  private func text(_ line: LogLine) -> String {
    String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
  }
}
