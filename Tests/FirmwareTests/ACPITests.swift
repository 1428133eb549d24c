// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

/// A machine's ACPI tables, built as firmware does: each table with its header and checksum.
struct Tables {
  var memory = TestMemory(base: 0, size: 0x10_0000)
  private var next: UInt64 = 0x1_0000
  private var addresses: [UInt64] = []
  /// Where the root pointer goes, and whether it has the part of revision 2.
  var root: UInt64 = 0xf_0010
  var isWide = true

  mutating func add(_ signature: String, _ body: [UInt8]) -> UInt64 {
    let address = next
    memory.put(Self.sealed(signature, body), at: address)
    next = (address + UInt64(body.count) + 0x100) & ~0xf
    addresses.append(address)
    return address
  }

  /// Writes the list and the root pointer.
  mutating func finish() {
    let width = isWide ? 8 : 4
    let list = next
    memory.put(Self.sealed(isWide ? "XSDT" : "RSDT", addresses.flatMap { bytes($0).prefix(width) }), at: list)
    var pointer = Array("RSD PTR ".utf8) + [0] + Array("ROOST ".utf8) + [isWide ? 2 : 0]
    pointer += isWide ? bytes(UInt32(0)) : bytes(UInt32(list))
    pointer[8] = Self.checksum(pointer)
    if isWide {
      pointer += bytes(UInt32(36)) + bytes(list) + [0, 0, 0, 0]
      pointer[32] = Self.checksum(pointer)
    }
    memory.put(pointer, at: root)
  }

  /// The machine's tables, with a sound root.
  func system(given: UInt64? = nil) throws(ACPIError) -> SystemTables {
    try SystemTables(rsdp: given.map { PhysicalAddress($0) }, in: memory)
  }

  static func sealed(_ signature: String, _ body: [UInt8]) -> [UInt8] {
    var table = Array(signature.utf8) + bytes(UInt32(36 + body.count)) + [1, 0]
    table += [UInt8](repeating: 0x20, count: 26) + body
    table[9] = checksum(table)
    return table
  }

  static func checksum(_ content: [UInt8]) -> UInt8 { 0 &- content.reduce(0, &+) }
}

private func madt(_ entries: [[UInt8]], address: UInt32 = 0xfee0_0000) -> [UInt8] {
  bytes(address) + bytes(UInt32(1)) + entries.flatMap { [$0[0], UInt8($0.count + 1)] + $0.dropFirst() }
}
private func processor(_ id: UInt8, enabled: Bool = true) -> [UInt8] { [0, id, id, enabled ? 1 : 0, 0, 0, 0] }
private func x2processor(_ id: UInt32) -> [UInt8] {
  [9, 0, 0] + bytes(id) + bytes(UInt32(1)) + bytes(UInt32(7))
}
private func ioapic(_ id: UInt8, _ address: UInt32, _ base: UInt32) -> [UInt8] {
  [1, id, 0] + bytes(address) + bytes(base)
}
private func override(_ irq: UInt8, _ gsi: UInt32, _ flags: UInt16) -> [UInt8] {
  [2, 0, irq] + bytes(gsi) + bytes(flags)
}

func system(_ tables: [(String, [UInt8])]) -> Tables {
  var result = Tables()
  for (signature, body) in tables { _ = result.add(signature, body) }
  result.finish()
  return result
}

private func topology(_ body: [UInt8]) throws(ACPIError) -> Topology {
  let tables = system([("APIC", body)])
  return try Topology(tables.system(), in: tables.memory)
}

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
    #expect(throws: ACPIError(.root, .badSignature)) { try tables.system(given: 0xf_0020) }
    #expect(throws: ACPIError(.root, .unreadable)) { try tables.system(given: .max) }
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

  @Test func `a table with a wrong sum or length is refused by name, the others are found`() throws {
    var tables = Tables()
    let madtAddress = tables.add("APIC", madt([processor(0)]))
    let mcfgAddress = tables.add("MCFG", [UInt8](repeating: 0, count: 8))
    _ = tables.add("HPET", [UInt8](repeating: 0, count: 20))
    tables.finish()
    tables.memory.content[Int(madtAddress) + 40] ^= 0xff
    tables.memory.put(UInt32.max, at: mcfgAddress + 4)

    let list = try tables.system()
    #expect(throws: ACPIError(.madt, .badChecksum)) { try list.find(.madt, in: tables.memory) }
    #expect(throws: ACPIError(.mcfg, .badLength)) { try list.find(.mcfg, in: tables.memory) }
    #expect(throws: ACPIError(.fadt, .missing)) { try list.find(.fadt, in: tables.memory) }
    #expect(throws: Never.self) { try list.find(.hpet, in: tables.memory) }
  }

  @Test func `an error reads as a sentence`() {
    #expect(text(ACPIError(.madt, .badChecksum).line) == "ACPI table APIC has a wrong checksum")
    #expect(text(ACPIError(.root, .missing).line) == "ACPI table RSDP is missing")
  }

  private func text(_ line: LogLine) -> String {
    String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
  }
}

@Suite struct TopologyTests {
  @Test func `enabled processors count once, as APIC or as x2APIC`() throws {
    let read = try topology(
      madt([processor(4), processor(2), processor(6, enabled: false), x2processor(2), x2processor(300), processor(255)])
    )
    #expect((0..<read.processorCount).map { read.apicID($0) } == [4, 2, 300])
    #expect(read.localAPIC == PhysicalAddress(0xfee0_0000))
    #expect(read.has8259)
    #expect(read.ignoredProcessors == 0)
  }

  @Test func `processors beyond the capacity are counted and left alone`() throws {
    let read = try topology(madt((0..<70).map { x2processor($0) }))
    #expect(read.processorCount == 64)
    #expect(read.ignoredProcessors == 6)
  }

  @Test func `a GSI belongs to the controller that begins nearest below it`() throws {
    let read = try topology(
      madt([processor(0), ioapic(9, 0xfec0_1000, 24), ioapic(8, 0xfec0_0000, 0), ioapic(10, 0xfec0_8000, 32)]))
    #expect([0, 23, 24, 31, 32, 1000].map { read.ioapic(for: $0) } == [1, 1, 0, 0, 2, 2])
    #expect(read.ioapic(2) == IOAPICDescription(id: 10, address: PhysicalAddress(0xfec0_8000), gsiBase: 32))
    #expect(try topology(madt([processor(0), ioapic(8, 0xfec0_0000, 16)])).ioapic(for: 3) == nil)
  }

  /// As on a Xeon D with several PCI roots: the chipset's controller with 24 inputs, and one with 8 at each root.
  @Test(arguments: [
    (gsi: UInt32(0), controller: 8, input: UInt32(0)), (23, 8, 23), (24, 9, 0), (31, 9, 7), (32, 10, 0), (39, 10, 7),
    (40, 11, 0), (47, 11, 7), (48, 12, 0), (55, 12, 7),
  ])
  func `each of five controllers has its own interrupts`(gsi: UInt32, controller: Int, input: UInt32) throws {
    let five = [
      ioapic(8, 0xfec0_0000, 0), ioapic(9, 0xfec0_1000, 24), ioapic(10, 0xfec0_8000, 32), ioapic(11, 0xfec1_0000, 40),
      ioapic(12, 0xfec1_8000, 48),
    ]
    for order in [five, five.reversed()] {
      let read = try topology(madt([processor(0)] + order))
      let index = try #require(read.ioapic(for: gsi))
      #expect(Int(read.ioapic(index).id) == controller)
      #expect(gsi - read.ioapic(index).gsiBase == input)
    }
  }

  @Test func `an override moves an ISA interrupt and says how it signals`() throws {
    let read = try topology(madt([processor(0), override(0, 2, 0), override(9, 20, 0xf), override(5, 5, 0xd)]))
    #expect(read.route(isa: 0) == InterruptRoute(gsi: 2))
    #expect(read.route(isa: 9) == InterruptRoute(gsi: 20, isActiveLow: true, isLevelTriggered: true))
    #expect(read.route(isa: 5) == InterruptRoute(gsi: 5, isActiveLow: false, isLevelTriggered: true))
    #expect(read.route(isa: 4) == InterruptRoute(gsi: 4))
    #expect(read.route(isa: 16) == nil)
    #expect(throws: Never.self) { try topology(madt([processor(0), override(200, 5, 0)])) }
  }

  @Test func `NMI inputs and a moved local APIC are read`() throws {
    let read = try topology(
      madt([
        processor(0), [4, 0xff, 5, 0, 1], [10, 0xf, 0] + bytes(UInt32(3)) + [0, 0, 0, 0],
        [5, 0, 0] + bytes(UInt64(0x1_fee0_0000)), [77, 1, 2, 3],
      ]))
    #expect(read.nmiCount == 2)
    #expect(read.nmi(0) == LocalNMI(processor: LocalNMI.everyProcessor, input: 1))
    #expect(read.nmi(1) == LocalNMI(processor: 3, input: 0, isActiveLow: true, isLevelTriggered: true))
    #expect(read.localAPIC == PhysicalAddress(0x1_fee0_0000))
  }

  @Test func `a table that breaks the rules is refused`() {
    #expect(throws: ACPIError(.madt, .badLength)) { try topology([0, 0, 0]) }
    #expect(throws: ACPIError(.madt, .badEntry)) { try topology(madt([processor(0), [0]])) }
    #expect(throws: ACPIError(.madt, .badEntry)) { try topology(madt([processor(0)]) + [1]) }
    #expect(throws: ACPIError(.madt, .badEntry)) { try topology(madt([processor(0)]) + [1, 0]) }
    #expect(throws: ACPIError(.madt, .badEntry)) { try topology(madt([processor(0)]) + [1, 200]) }
    #expect(throws: ACPIError(.madt, .badEntry)) { try topology(madt([])) }
    #expect(throws: ACPIError(.madt, .badAddress)) { try topology(madt([processor(0)], address: 0xfee0_0010)) }
    #expect(throws: ACPIError(.madt, .badAddress)) { try topology(madt([processor(0), ioapic(0, 0, 0)])) }
    #expect(throws: ACPIError(.madt, .tooManyEntries)) {
      try topology(madt([processor(0)] + (0..<17).map { ioapic($0, 0xfec0_0000, UInt32($0)) }))
    }
    let none = system([])
    #expect(throws: ACPIError(.madt, .missing)) { try Topology(none.system(), in: none.memory) }
  }
}

@Suite struct HardwareDescriptionTests {
  private func window(_ base: UInt64, _ first: UInt8, _ last: UInt8) -> [UInt8] {
    bytes(base) + bytes(UInt16(0)) + [first, last, 0, 0, 0, 0]
  }

  private func windows(_ entries: [[UInt8]]) throws(ACPIError) -> ConfigurationWindows {
    let tables = system([("MCFG", [UInt8](repeating: 0, count: 8) + entries.flatMap { $0 })])
    return try ConfigurationWindows(tables.system(), in: tables.memory)
  }

  @Test func `a configuration window is its own buses' memory`() throws {
    let read = try windows([window(0xb000_0000, 0, 255), window(0xe000_0000, 0x20, 0x3f)])
    #expect(read.count == 2)
    #expect(read[0].range == PhysicalRange(start: PhysicalAddress(0xb000_0000), size: 256 << 20))
    #expect(read[1].range == PhysicalRange(start: PhysicalAddress(0xe200_0000), size: 32 << 20))
  }

  @Test func `a configuration window that cannot be is refused`() {
    #expect(throws: ACPIError(.mcfg, .badEntry)) { try windows([window(0xb000_0000, 2, 1)]) }
    #expect(throws: ACPIError(.mcfg, .badAddress)) { try windows([window(0, 0, 1)]) }
    #expect(throws: ACPIError(.mcfg, .badAddress)) { try windows([window(0xb000_1000, 0, 1)]) }
    #expect(throws: ACPIError(.mcfg, .badAddress)) { try windows([window(0xffff_ffff_fff0_0000, 0, 255)]) }
    #expect(throws: ACPIError(.mcfg, .badLength)) { try windows([[1, 2, 3]]) }
    #expect(throws: ACPIError(.mcfg, .tooManyEntries)) {
      try windows((0..<17).map { _ in window(0xb000_0000, 0, 1) })
    }
  }

  private func hpet(_ space: UInt8, _ address: UInt64, padding: Int = 8) throws(ACPIError) -> HPETDescription {
    let body = bytes(UInt32(0x8086_a201)) + [space, 64, 0, 0] + bytes(address) + [UInt8](repeating: 0, count: padding)
    let tables = system([("HPET", body)])
    return try HPETDescription(tables.system(), in: tables.memory)
  }

  @Test func `the HPET is memory, aligned and inside the address space`() throws {
    #expect(try hpet(0, 0xfed0_0000).address == PhysicalAddress(0xfed0_0000))
    #expect(throws: ACPIError(.hpet, .badAddress)) { try hpet(1, 0xfed0_0000) }
    #expect(throws: ACPIError(.hpet, .badAddress)) { try hpet(0, 0) }
    #expect(throws: ACPIError(.hpet, .badAddress)) { try hpet(0, 0xfed0_0008) }
    #expect(throws: ACPIError(.hpet, .badAddress)) { try hpet(0, .max & ~0x3ff) }
    #expect(throws: ACPIError(.hpet, .badLength)) { try hpet(0, 0xfed0_0000, padding: 0) }
  }

  private func fadt(length: Int = 268, _ fill: (inout [UInt8]) -> Void) throws(ACPIError) -> FixedDescription {
    var body = [UInt8](repeating: 0, count: length)
    fill(&body)
    let tables = system([("FACP", Array(body.dropFirst(36)))])
    return try FixedDescription(tables.system(), in: tables.memory)
  }

  @Test func `the 64-bit fields of the FADT hold where they are filled`() throws {
    let fill = { (body: inout [UInt8]) in
      body.replaceSubrange(64..<68, with: bytes(UInt32(0x604)))
      body.replaceSubrange(76..<80, with: bytes(UInt32(0x608)))
      body[91] = 4
      body[108] = 0x32
      body.replaceSubrange(112..<116, with: bytes(UInt32(1 << 8 | 1 << 10)))
      if body.count > 220 {
        body.replaceSubrange(116..<128, with: [1, 8, 0, 1] + bytes(UInt64(0xcf9)))
        body[128] = 0xf
        body.replaceSubrange(172..<184, with: [1, 16, 0, 2] + bytes(UInt64(0x704)))
      }
    }
    let read = try fadt(fill)
    #expect(read.timerPort == 0x608)
    #expect(read.timerWidth == 32)
    #expect(read.controlPort == 0x704)
    #expect(read.resetRegister?.port == 0xcf9)
    #expect(read.resetValue == 0xf)
    #expect(read.centuryIndex == 0x32)
    let old = try fadt(length: 116, fill)
    #expect(old.controlPort == 0x604)
    #expect(old.resetRegister == nil)
  }

  @Test func `ports that do not exist are left out and a short FADT is refused`() throws {
    let read = try fadt { body in
      body.replaceSubrange(64..<68, with: bytes(UInt32(0x1_0000)))
      body.replaceSubrange(208..<220, with: [1, 32, 0, 3] + bytes(UInt64(0x1_0000)))
      body[91] = 4
    }
    #expect(read.controlPort == nil)
    #expect(read.timerPort == nil)
    #expect(throws: ACPIError(.fadt, .badLength)) { try fadt(length: 115) { _ in } }
  }

  @Test func `no tables trap`() {
    var random = SplitMix64(seed: 5)
    let good = system([
      (
        "APIC",
        madt([processor(0), ioapic(0, 0xfec0_0000, 0), override(0, 2, 0), x2processor(9), [4, 0xff, 5, 0, 1]])
      ),
      ("MCFG", [UInt8](repeating: 0, count: 8) + window(0xb000_0000, 0, 255)),
      ("HPET", [0, 0, 0, 0, 0, 64, 0, 0] + bytes(UInt64(0xfed0_0000)) + [UInt8](repeating: 0, count: 8)),
      ("FACP", [UInt8](repeating: 1, count: 232)),
    ])
    for _ in 0..<fuzzRounds(300) {
      var memory = good.memory
      // Tables whose contents are corrupt but whose sums are right get furthest.
      for start in [0x1_0000, 0xf_0010] where random.next() % 4 != 0 {
        let count = start == 0xf_0010 ? 36 : 0x600
        var part = Array(memory.content[start..<(start + count)])
        random.corrupt(&part)
        memory.put(part, at: UInt64(start))
      }
      resum(&memory)
      for given in [nil, PhysicalAddress(0xf_0010), PhysicalAddress(random.hostile())] {
        guard let tables = try? SystemTables(rsdp: given, in: memory) else { continue }
        _ = try? Topology(tables, in: memory)
        _ = try? ConfigurationWindows(tables, in: memory)
        _ = try? HPETDescription(tables, in: memory)
        _ = try? FixedDescription(tables, in: memory)
      }
    }
  }

  /// Puts right the sums of the tables that still begin with a signature.
  private func resum(_ memory: inout TestMemory) {
    for start in stride(from: 0x1_0000, to: 0x1_0600, by: 16) {
      let name = String(decoding: memory.content[start..<(start + 4)], as: UTF8.self)
      guard ["APIC", "MCFG", "HPET", "FACP", "XSDT"].contains(name) else { continue }
      let length = Int(memory.load(PhysicalAddress(UInt64(start) + 4), as: UInt32.self) ?? 0)
      guard length >= 36, length < 0x1000 else { continue }
      memory.content[start + 9] = 0
      memory.content[start + 9] = Tables.checksum(Array(memory.content[start..<(start + length)]))
    }
  }
}
