// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

@Suite struct HardwareDescriptionTests {
  private func window(_ base: UInt64, _ first: UInt8, _ last: UInt8, segment: UInt16 = 0) -> [UInt8] {
    bytes(base) + bytes(segment) + [first, last, 0, 0, 0, 0]
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
    #expect(throws: ACPIError(.mcfg, .badEntry)) { try windows([window(0, 0, 1)]) }
    #expect(throws: ACPIError(.mcfg, .badEntry)) { try windows([window(0xb000_1000, 0, 1)]) }
    #expect(throws: ACPIError(.mcfg, .badEntry)) { try windows([window(0xffff_ffff_fff0_0000, 0, 255)]) }
    #expect(throws: ACPIError(.mcfg, .badEntry)) { try windows([window(0xffff_ffff_fff0_0000, 16, 255)]) }
    #expect(throws: ACPIError(.mcfg, .badLength)) { try windows([[1, 2, 3]]) }
  }

  @Test func `windows that cannot be are left out and counted, the others hold`() throws {
    let good = window(0xb000_0000, 0, 3)
    let read = try windows([window(0, 0, 1), good, window(0xb000_0000, 3, 5, segment: 1), [1, 2, 3]])
    #expect(read.count == 1)
    #expect(read[0].lastBus == 3)
    // One lies over another; what is behind the last whole entry is none.
    #expect(read.ignored == 2)
    let many = try windows((0..<17).map { window(0xb000_0000 + UInt64($0) << 20, 0, 0, segment: UInt16($0)) })
    #expect(many.count == 16)
    #expect(many.ignored == 1)
  }

  @Test func `each segment has its windows, and those above a limit can be told apart`() throws {
    let read = try windows([
      window(0x10_0000_0000, 0, 255, segment: 1), window(0xe000_0000, 0, 0x7f),
      window(0xd000_0000, 0, 0xff, segment: 2),
    ])
    #expect([0, 1, 2, 3].map { read.shows(segment: $0) } == [true, true, true, false])
    let below = try #require(read.reachable(below: 1 << 32))
    #expect((0..<below.count).map { below[$0].segment } == [0, 2])
    #expect(below.ignored == 1)
    #expect(!below.shows(segment: 1))
    #expect(read.reachable(below: 0xd000_0000) == nil)
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
      ("SPCR", spcr()),
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
        check(tables, memory)
      }
    }
  }

  /// What is read of damaged tables is less than was there, but nothing that cannot be.
  private func check(_ tables: SystemTables, _ memory: TestMemory) {
    if let topology = try? Topology(tables, in: memory) {
      #expect((1...Topology.processorCapacity).contains(topology.processorCount))
      for index in 0..<topology.ioapicCount { #expect(topology.ioapic(index).address.value != 0) }
      for index in 0..<topology.processorCount { #expect(topology.apicID(index) <= topology.highestAPICID) }
    }
    if let near = try? Topology(tables, in: memory, reach: 254) {
      for index in 0..<near.processorCount { #expect(near.apicID(index) <= 254) }
    }
    if let windows = try? ConfigurationWindows(tables, in: memory) {
      for index in 0..<windows.count {
        for other in 0..<index where windows[index].range.overlaps(windows[other].range) {
          #expect(windows[index].segment == windows[other].segment && windows[index].base == windows[other].base)
        }
      }
      _ = windows.reachable(below: 1 << 32)
    }
    _ = try? HPETDescription(tables, in: memory)
    _ = try? FixedDescription(tables, in: memory)
    if let port = try? SerialRedirection(tables, in: memory).port { #expect((0x100...0xfff8).contains(port)) }
    for signature in [.madt, .mcfg, .hpet, .fadt, .spcr] as [TableSignature] {
      if (try? tables.find(signature, in: memory)) != nil { continue }
      #expect(tables.problem(signature, in: memory)?.reason != .badChecksum)
    }
  }

  /// An SPCR's content: a 16550 at COM2.
  private func spcr(kind: UInt8 = 0, space: UInt8 = 1, port: UInt64 = 0x2f8, interrupts: UInt8 = 1, irq: UInt8 = 3)
    -> [UInt8]
  {
    [kind, 0, 0, 0, space, 8, 0, 1] + bytes(port) + [interrupts, irq] + [UInt8](repeating: 0, count: 26)
  }

  private func redirection(_ body: [UInt8]) throws(ACPIError) -> SerialRedirection {
    let tables = system([("SPCR", body)])
    return try SerialRedirection(tables.system(), in: tables.memory)
  }

  @Test func `the firmware's own console is a 16550 with I/O ports`() throws {
    #expect(try redirection(spcr()).port == 0x2f8)
    #expect(try redirection(spcr()).interrupt == 3)
    #expect(try redirection(spcr(kind: 1, port: 0x3e8, irq: 0)).port == 0x3e8)
    #expect(try redirection(spcr(irq: 0)).interrupt == nil)
    #expect(try redirection(spcr(irq: 16)).interrupt == nil)
    #expect(try redirection(spcr(interrupts: 2)).interrupt == nil)
  }

  @Test func `a console of another kind or at an impossible port is none that is written to`() throws {
    #expect(try redirection(spcr(kind: 3)).port == nil)
    #expect(try redirection(spcr(space: 0, port: 0xfedc_6000)).port == nil)
    #expect(try redirection(spcr(port: 0)).port == nil)
    #expect(try redirection(spcr(port: 0x60)).port == nil)
    #expect(try redirection(spcr(port: 0xffff)).port == nil)
    #expect(try redirection(spcr(port: 0x1_02f8)).port == nil)
    #expect(throws: ACPIError(.spcr, .badLength)) { try redirection([]) }
    let none = system([])
    #expect(throws: ACPIError(.spcr, .missing)) { try SerialRedirection(none.system(), in: none.memory) }
  }

  /// Puts right the sums of the tables that still begin with a signature.
  private func resum(_ memory: inout TestMemory) {
    for start in stride(from: 0x1_0000, to: 0x1_0600, by: 16) {
      let name = String(decoding: memory.content[start..<(start + 4)], as: UTF8.self)
      guard ["APIC", "MCFG", "HPET", "FACP", "SPCR", "XSDT"].contains(name) else { continue }
      let length = Int(memory.load(PhysicalAddress(UInt64(start) + 4), as: UInt32.self) ?? 0)
      guard length >= 36, length < 0x1000 else { continue }
      memory.content[start + 9] = 0
      memory.content[start + 9] = Tables.checksum(Array(memory.content[start..<(start + length)]))
    }
  }
}
