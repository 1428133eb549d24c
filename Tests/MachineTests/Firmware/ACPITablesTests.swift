// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Foundation
import Testing

@testable import Machine

struct ACPITablesTests {
  private let memory = TestMemory(low: 16 << 20)

  private func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
  private func sum(_ bytes: [UInt8]) -> UInt8 { bytes.reduce(0, &+) }

  /// The bytes of the table at `address`.
  private func table(_ address: UInt64) throws -> [UInt8] {
    try memory.bytes(address, Int(memory.read(address + 4, as: UInt32.self)))
  }

  /// Writes the tables and gives them by signature.
  private func write(_ hardware: FixedHardware = FixedHardware()) throws -> [String: [UInt8]] {
    let rsdp = try ACPITables.write(hardware, to: memory.guest).value
    var tables = ["RSDP": try memory.bytes(rsdp, 36)]
    let xsdt = try memory.read(rsdp + 24, as: UInt64.self)
    tables["XSDT"] = try table(xsdt)
    tables["RSDT"] = try table(UInt64(memory.read(rsdp + 16, as: UInt32.self)))
    for index in 0..<UInt64(2) {
      let entry = try table(memory.read(xsdt + 36 + 8 * index, as: UInt64.self))
      tables[text(entry[0..<4])] = entry
    }
    let fadt = try memory.read(xsdt + 36, as: UInt64.self)
    tables["FACS"] = try table(UInt64(memory.read(fadt + 36, as: UInt32.self)))
    tables["DSDT"] = try table(memory.read(fadt + 140, as: UInt64.self))
    return tables
  }

  @Test func `the root pointer is where firmware keeps it and both its checksums hold`() throws {
    let tables = try write()
    let rsdp = try #require(tables["RSDP"])
    #expect(text(rsdp[0..<8]) == "RSD PTR ")
    #expect(sum(Array(rsdp[0..<20])) == 0)
    #expect(sum(rsdp) == 0)
    #expect(try ACPITables.write(FixedHardware(), to: memory.guest).value == 0xf_0000)
  }

  @Test func `every table has its length and a checksum that holds`() throws {
    let tables = try write()
    #expect(Set(tables.keys) == ["RSDP", "RSDT", "XSDT", "FACP", "APIC", "FACS", "DSDT"])
    for (name, bytes) in tables where name != "RSDP" && name != "FACS" {
      #expect(text(bytes[0..<4]) == name)
      #expect(sum(bytes) == 0, "\(name)")
      #expect(text(bytes[10..<16]) == "ROOST ")
    }
  }

  @Test func `RSDT and XSDT name the same tables`() throws {
    let tables = try write()
    let rsdt = try #require(tables["RSDT"])
    let xsdt = try #require(tables["XSDT"])
    for index in 0..<2 {
      #expect(Array(rsdt[(36 + 4 * index)..<(40 + 4 * index)]) == Array(xsdt[(36 + 8 * index)..<(40 + 8 * index)]))
    }
  }

  @Test func `the FADT has the fixed hardware at its offsets`() throws {
    var hardware = FixedHardware()
    hardware.resetPort = 0xcf9
    let fadt = try #require(try write(hardware)["FACP"])
    func word(_ offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(fadt[offset + $1]) << (8 * $1) } }
    #expect(fadt.count == 268)
    #expect((word(56), word(64), word(76)) == (0x600, 0x604, 0x608))
    #expect((fadt[88], fadt[89], fadt[91], fadt[108]) == (4, 2, 4, 0x32))
    #expect(fadt[46] == 9)
    #expect(word(48) == 0)
    #expect(fadt[109] == 0b101)
    #expect(word(112) == 1 << 0 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 10)
    #expect(Array(fadt[116..<129]) == [1, 8, 0, 1, 0xf9, 0x0c, 0, 0, 0, 0, 0, 0, 6])
    #expect(Array(fadt[148..<154]) == [1, 32, 0, 2, 0x00, 0x06])
    #expect(Array(fadt[172..<178]) == [1, 16, 0, 2, 0x04, 0x06])
    #expect(Array(fadt[208..<214]) == [1, 32, 0, 3, 0x08, 0x06])
  }

  @Test func `the MADT names processors, the I/O APIC, two overrides and the NMI`() throws {
    var hardware = FixedHardware()
    hardware.processorCount = 2
    let madt = try #require(try write(hardware)["APIC"])
    #expect(Array(madt[36..<44]) == [0, 0, 0xe0, 0xfe, 1, 0, 0, 0])
    #expect(
      Array(madt[44...]) == [
        0, 8, 0, 0, 1, 0, 0, 0, 0, 8, 1, 1, 1, 0, 0, 0,
        1, 12, 1, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,
        2, 10, 0, 0, 2, 0, 0, 0, 0, 0,
        2, 10, 0, 9, 9, 0, 0, 0, 13, 0,
        4, 6, 0xff, 0, 0, 1,
      ])
  }

  @Test func `the FACS is aligned to 64 bytes and 64 bytes long`() throws {
    let rsdp = try ACPITables.write(FixedHardware(), to: memory.guest).value
    let xsdt = try memory.read(rsdp + 24, as: UInt64.self)
    let facs = try memory.read(memory.read(xsdt + 36, as: UInt64.self) + 36, as: UInt32.self)
    #expect(facs % 64 == 0)
    #expect(try table(UInt64(facs)).count == 64)
  }

  @Test func `the DSDT routes each PCI interrupt to a pin from 16 to 23`() throws {
    let dsdt = try #require(try write()["DSDT"])
    // Package (4) { slot << 16 | 0xffff, pin, 0, GSI } as it is encoded, length in three bytes.
    for slot in UInt8(1)...31 {
      for pin in UInt8(0)..<4 {
        let integer: [UInt8] = pin < 2 ? [pin] : [0x0a, pin]
        let body: [UInt8] = [4, 0x0c, 0xff, 0xff, slot, 0] + integer + [0, 0x0a, 16 + (slot + pin) % 8]
        let length = UInt8(body.count + 3)
        #expect(dsdt.contains([0x12, 0x80 | length & 15, length >> 4, 0] + body), "slot \(slot) pin \(pin)")
      }
    }
  }

  @Test func `Plug-and-Play identifiers are packed as ACPI says`() {
    var table = ACPITable()
    table.identifier("PNP0A03")
    table.identifier("PNP0501")
    #expect((0..<10).map { table.bytes[$0] } == [0x0c, 0x41, 0xd0, 0x0a, 0x03, 0x0c, 0x41, 0xd0, 0x05, 0x01])
  }

  @Test(arguments: [1 << 19, (0xc000_0000 as UInt64) + 1])
  func `memory without a firmware area or without a window for devices is refused`(size: UInt64) {
    let claim = GuestMemory(unsafeLow: UnsafeMutableRawPointer(bitPattern: 4096)!, lowSize: size)
    #expect(throws: ACPIError.badMemorySize) { try ACPITables.write(FixedHardware(), to: claim) }
  }

  @Test func `what does not fit the firmware area is refused`() {
    var hardware = FixedHardware()
    hardware.processorCount = 255
    #expect(throws: Never.self) { try ACPITables.write(hardware, to: memory.guest) }
    var table = ACPITable()
    table.append(zeros: 4097)
    var cursor = MemoryMap.firmwareStart
    #expect(throws: ACPIError.noRoom) { try table.place(in: memory.guest, at: &cursor) }
    cursor = MemoryMap.firmwareEnd - 8
    #expect(throws: ACPIError.noRoom) { try ACPITable("DSDT", revision: 2).place(in: memory.guest, at: &cursor) }
  }
}
