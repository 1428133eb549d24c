// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware
import PCI
import TestSupport
import Testing

@testable import Bus

/// What the scan finds, and that it leaves everything as it was.
@Suite struct ScanTests {
  private func function(_ model: ModelFunction) throws -> PCIFunction {
    let bus = ModelBus()
    bus[0, 3, 0] = model
    return try #require(bus.scan().first)
  }

  @Test func `all roots of the reference machine are found by trying every bus`() {
    let found = ModelBus.reference().scan()

    #expect(
      found.map(\.name) == [
        "00:00.0", "00:11.0", "00:11.5", "00:1c.0", "00:1f.0", "01:00.0", "01:00.1", "65:00.0", "66:00.0", "ff:1f.0",
      ])
    #expect(text(found[8].line) == "66:00.0 8086:37d1 class 020000")
    #expect(found[7].bridge == BridgeBuses(secondary: 0x66, subordinate: 0x66))
  }

  @Test func `a device that answers to every number of its link is found once`() {
    let found = ModelBus.reference().scan()
    #expect(found.filter { $0.address.bus == 0x66 }.count == 1)
  }

  @Test func `functions beyond the first only exist where the first says so`() {
    let bus = ModelBus()
    bus[0, 1, 0] = ModelFunction()
    bus[0, 1, 3] = ModelFunction()
    bus[0, 2, 1] = ModelFunction()
    #expect(bus.scan().map(\.name) == ["00:01.0"])
    bus[0, 1, 0] = ModelFunction().multifunction()
    #expect(bus.scan().map(\.name) == ["00:01.0", "00:01.3"])
    #expect(bus.scan().map(\.isMultifunction) == [true, true])
  }

  @Test func `ranges have kind, place and size`() throws {
    let found = try function(
      ModelFunction().memory(0, at: 0xf000_0000, size: 0x2_0000).io(1, at: 0xc000, size: 64)
        .memory64(2, at: 0x40_0000_0000, size: 1 << 35).memory(4, at: 0xe000_0000, size: 16, prefetchable: true)
        .rom(at: 0xd000_0001, size: 0x1_0000))

    #expect((0..<6).map { found.ranges[$0].kind } == [.memory, .io, .memory64, .upperHalf, .memory, .none])
    #expect((0..<6).map { found.ranges[$0].size } == [0x2_0000, 64, 1 << 35, 0, 16, 0])
    #expect(found.ranges[0].address == 0xf000_0000)
    #expect(found.ranges[1].address == 0xc000)
    #expect(found.ranges[2].address == 0x40_0000_0000)
    #expect(found.ranges[4].isPrefetchable)
    #expect(found.rom.address == 0xd000_0000)
    #expect(found.rom.size == 0x1_0000)
  }

  @Test func `an I/O range of 32 bits is one of 16`() throws {
    let found = try function(ModelFunction().io(0, at: 0xe000, size: 8, bits: .max))
    #expect(found.ranges[0].size == 8)
  }

  @Test func `a range that makes no sense is called so`() throws {
    let holes = ModelFunction().memory(0, at: 0, size: 0x1000)
    holes.put(UInt32(0xf0f0_0000), at: 16, in: \.writable)
    #expect(try function(holes).ranges[0].kind == .malformed)
    let last = ModelFunction()
    last.put(UInt32(4), at: 16 + 20)
    #expect(try function(last).ranges[5].kind == .malformed)
    let reserved = ModelFunction()
    reserved.put(UInt32(6), at: 16)
    #expect(try function(reserved).ranges[0].kind == .malformed)
  }

  @Test func `sizing leaves all registers as they were, and nothing decodes meanwhile`() throws {
    let model = ModelFunction().memory64(0, at: 0x38_0000_0000, size: 0x1000).rom(at: 0xd000_0001, size: 0x1000)
    model.put(UInt16(7), at: 4)
    var decoding: [UInt16] = []
    model.didWrite = { model, offset, _ in
      if offset >= 16, offset < 0x34 { decoding.append(model.word(4) & 3) }
    }
    let before = model.bytes
    _ = try function(model)

    #expect(model.bytes == before)
    #expect(!decoding.isEmpty && decoding.allSatisfy { $0 == 0 })
  }

  @Test func `bridges from the host and to the ISA bus, and IOMMUs, are not touched`() {
    let bus = ModelBus.reference()
    bus[0, 0, 0] = ModelFunction(device: 0x2020, classCode: 0x060000).multifunction()
    bus[0, 0, 2] = ModelFunction(device: 0x1481, classCode: 0x080600).memory(0, at: 0xfd00_0000, size: 4096).messages()
    let found = bus.scan()
    let parts = found.filter(\.isPartOfTheMachine).map(\.name)
    #expect(parts == ["00:00.0", "00:00.2", "00:11.0", "00:1f.0"], "00:11.0 has other registers for base addresses")
    let touched = Set(bus.writes.map(\.function))
    for part in [at(0, 0), at(0, 0, 2), at(0, 0x11), at(0, 0x1f)] { #expect(!touched.contains(part.requester)) }
    #expect(found.first { $0.name == "00:00.2" }?.capabilities.messages != nil, "its message is the kernel's to set")
  }

  @Test func `what the machine needs stays as firmware left it`() {
    let bus = ModelBus.reference()
    // An I/O APIC of an Intel root, counters, signal processing, a memory controller.
    bus[0, 5, 0] = ModelFunction(device: 0x2020, classCode: 0x060000).multifunction()
    bus[0, 5, 4] = ModelFunction(device: 0x2026, classCode: 0x080020)
    bus[0, 8, 0] = ModelFunction(device: 0x2014, classCode: 0x110100)
    bus[0, 9, 0] = ModelFunction(device: 0xa1b1, classCode: 0x118000)
    bus[0, 10, 0] = ModelFunction(device: 0xa1a1, classCode: 0x058000)
    let needed = bus.scan().filter(\.isNeededByTheMachine).map(\.name)
    #expect(needed == ["00:05.4", "00:08.0", "00:09.0", "00:0a.0", "ff:1f.0"])
  }

  @Test func `translation services that firmware left on are switched off`() throws {
    let bus = ModelBus.reference()
    let card = try #require(bus[0x66, 0, 0])
    card.put(UInt16(0x8003), at: 0x106)
    card.put(UInt16(0xffff), at: 0x106, in: \.writable)
    for function in bus.scan() { function.switchOffTranslation(in: bus) }
    #expect(card.word(0x106, as: UInt16.self) == 3)
  }

  @Test func `firmware's masters of the bus are so no more, but for what the machine needs`() {
    let bus = ModelBus()
    let master: UInt16 = 0x0407
    bus[0, 0, 0] = ModelFunction(classCode: 0x060000)
    bus[0, 1, 0] = ModelFunction(classCode: 0x060400, header: 1).bridge(3, 3)
    bus[0, 2, 0] = ModelFunction().messages().memory(0, at: 0xf000_0000, size: 0x1000)
    bus[0, 3, 0] = ModelFunction(classCode: 0x080020)
    bus[0, 4, 0] = ModelFunction(classCode: 0x080600)
    bus[0, 31, 0] = ModelFunction(classCode: 0x060100).multifunction()
    bus[0, 31, 2] = ModelFunction(classCode: 0x010601)
    bus[3, 0, 0] = ModelFunction(classCode: 0x020000)
    bus[0, 5, 0] = ModelFunction(classCode: 0x030000)
    let all = [at(0, 0), at(0, 1), at(0, 2), at(0, 3), at(0, 4), at(0, 5), at(0, 31), at(0, 31, 2), at(3, 0)]
    for place in all { bus[place]?.put(place == at(0, 5) ? 3 : master, at: 4) }
    let before = all.map { bus[$0]?.bytes }

    var scan = PCIScan(nil)
    #expect(scan.takeBus(in: bus) == 3)
    let quiet = [at(0, 2), at(0, 31, 2), at(3, 0)]
    #expect(bus.writes == quiet.map { .init(function: $0.requester, offset: 4, value: UInt32(master & ~4)) })
    for (place, old) in zip(all, before) where !quiet.contains(place) { #expect(bus[place]?.bytes == old) }
    // The later, whole look spares the same.
    let spared = bus.scan().filter { !$0.canBeSilent }.map(\.address)
    #expect(spared == [at(0, 0), at(0, 1), at(0, 3), at(0, 4), at(0, 31)])
  }

  @Test func `a bus on which everything answers takes bounded time`() {
    let bus = ModelBus()
    for number in UInt16.min ... .max {
      let function = ModelFunction().multifunction()
      function.bytes[4] = 4
      bus.add(FunctionAddress(requester: number), function)
    }
    var scan = PCIScan(nil)
    #expect(scan.takeBus(in: bus) == 65536)
    #expect(bus.reads <= 65536 * 5)
  }

  @Test func `what is parked answers nowhere, is not master of the bus and interrupts nobody`() throws {
    let bus = ModelBus()
    let model = ModelFunction().memory(0, at: 0xf000_0000, size: 4096).io(1, at: 0xc000, size: 32).messages()
    model.put(UInt16(7), at: 4)
    model.put(UInt16(0x81), at: 0x42)
    bus[0, 3, 0] = model
    try #require(bus.scan().first).park(in: bus)
    #expect(model.word(4, as: UInt16.self) == 0x400)
    #expect(model.word(0x42, as: UInt16.self) & 1 == 0)
  }

  @Test func `a bridge has two ranges and knows its buses`() throws {
    let found = try function(
      ModelFunction(classCode: 0x060400, header: 1).bridge(5, 9).memory(0, at: 0xf000_0000, size: 0x1000))
    #expect(found.ranges[0].size == 0x1000)
    #expect(found.ranges[2].kind == .none)
    #expect(found.bridge == BridgeBuses(secondary: 5, subordinate: 9))
    #expect(BridgeBuses(secondary: 5, subordinate: 9).contains(9))
    #expect(!BridgeBuses(secondary: 5, subordinate: 9).contains(10))
    #expect(!BridgeBuses(secondary: 0, subordinate: 0).contains(0))
  }

  @Test func `without windows the ports reach 256 bytes of each function`() {
    let bus = ModelBus.reference()
    bus.size = 256
    let found = bus.scan()
    #expect(found.count == 10)
    #expect(found[8].capabilities.addressTranslation == nil)
    #expect(found[8].capabilities.express?.canReset == true)
  }

  /// Windows of the MCFG: base, segment, first and last bus.
  private func windows(_ entries: [(UInt64, UInt16, UInt8, UInt8)]) throws(ACPIError) -> ConfigurationWindows {
    let body = entries.flatMap { base, segment, first, last -> [UInt8] in
      TestTables.bytes(base) + TestTables.bytes(segment) + [first, last, 0, 0, 0, 0]
    }
    let tables = TestTables("MCFG", [UInt8](repeating: 0, count: 8) + body)
    return try ConfigurationWindows(tables.system(), in: tables)
  }

  @Test func `each segment's buses are looked at once, and none that no window shows`() throws {
    let bus = ModelBus()
    bus[2, 0, 0] = ModelFunction()
    bus[0x40, 0, 0] = ModelFunction()
    bus[0x41, 0, 0] = ModelFunction()
    bus.add(FunctionAddress(segment: 1, bus: 0x40, device: 0, function: 0), ModelFunction())
    let windows = try windows([(0xb000_0000, 0, 0, 0x3f), (0xb000_0000, 0, 0x20, 0x40), (0xe000_0000, 1, 0x40, 0x4f)])

    #expect(bus.scan(windows).map(\.name) == ["02:00.0", "40:00.0", "0001:40:00.0"])
    #expect(windows.place(of: at(0x40, 1, 2), 0x104) == PhysicalAddress(0xb400_a104))
    #expect(windows.place(of: at(0x41, 0), 0) == nil)
    #expect(windows.place(of: at(0, 0), 4096) == nil)
    #expect(
      windows.place(of: FunctionAddress(segment: 1, bus: 0x4f, device: 31, function: 7), 0xfff)
        == PhysicalAddress(0xe4ff_ffff))
  }

  @Test func `the ports' address has the form that they want`() {
    #expect(at(0x66, 0x1f, 7).portSelector(0x43) == 0x8066_ff40)
    #expect(at(0, 0).portSelector(256) == nil)
    #expect(FunctionAddress(segment: 1, requester: 0).portSelector(0) == nil)
  }
}

@Suite struct CapabilityTests {
  private func capabilities(_ model: ModelFunction) -> Capabilities {
    let bus = ModelBus()
    bus[0, 3, 0] = model
    return bus.scan().first?.capabilities ?? Capabilities()
  }

  @Test func `what the card of the reference machine can do is read`() {
    let card = ModelBus.reference().scan()[8].capabilities

    #expect(card.power == PowerCapability(offset: 0x40, keepsState: false))
    #expect(card.messages == MSICapability(offset: 0x48, isWide: true, canMask: true, count: 4))
    #expect(
      card.messageTable
        == MSIXCapability(
          offset: 0x60, count: 129, tableRange: 2, tableOffset: 0, pendingRange: 2, pendingOffset: 0x1000))
    #expect(card.express?.role == .endpoint)
    #expect(card.express?.canReset == true)
    #expect(card.addressTranslation == 0x100)
    #expect(!card.isMalformed)
  }

  @Test func `a list that loops ends, and is called malformed`() {
    let model = ModelFunction().power().capability(9, [0, 0])
    model.bytes[0x49] = 0x40
    let found = capabilities(model)
    #expect(found.isMalformed)
    #expect(found.power?.offset == 0x40)
  }

  @Test func `an extended list that loops ends, and is called malformed`() {
    let model = ModelFunction().express(0).isolation(everything)
    model.put(UInt32(0x1001_000d), at: 0x100)
    let found = capabilities(model)
    #expect(found.isMalformed)
    #expect(found.isolation?.offset == 0x100)
  }

  @Test(arguments: [0x04, 0x3c] as [UInt8])
  func `a list that leads into the header is malformed`(pointer: UInt8) {
    let model = ModelFunction().power()
    model.bytes[0x41] = pointer
    #expect(capabilities(model).isMalformed)
  }

  @Test func `a capability that has no room where it says it is does not exist`() {
    let model = ModelFunction().power()
    model.bytes[0x34] = 0xfc
    model.bytes[0xfc] = 5
    let found = capabilities(model)
    #expect(found.messages == nil)
    #expect(found.isMalformed)
  }

  @Test(arguments: [(0x1000 as UInt32, 0 as UInt32), (0x800, 0x1000), (0, 0xff8)])
  func `a message table must lie inside memory of the function`(table: UInt32, pending: UInt32) {
    let model = ModelFunction().memory(0, at: 0xf000_0000, size: 0x1000)
      .messageTable(129, range: 0, offset: table, pending: pending)
    #expect(capabilities(model).messageTable == nil)
    #expect(capabilities(model).isMalformed)
  }

  @Test func `a message table in no range, or in ports, does not exist`() {
    let nowhere = ModelFunction().messageTable(1, range: 6, offset: 0, pending: 0)
    let ports = ModelFunction().io(0, at: 0xc000, size: 256).messageTable(1, range: 0, offset: 0, pending: 0)
    #expect(capabilities(nowhere).messageTable == nil)
    #expect(capabilities(ports).messageTable == nil)
  }
}

/// Whatever configuration spaces hold, nothing traps and every walk ends.
@Suite struct ScanFuzzTests {
  @Test func `random configuration spaces`() {
    var random = SplitMix64(seed: 66)
    for _ in 0..<fuzzRounds(60) {
      let bus = ModelBus()
      for _ in 0..<12 {
        let model = ModelFunction()
        for index in 0..<4096 where random.next() % 3 != 0 {
          model.bytes[index] = UInt8(truncatingIfNeeded: random.next())
          model.writable[index] = UInt8(truncatingIfNeeded: random.next())
        }
        if random.next() % 2 == 0 { model.bytes[14] = UInt8(random.next() % 2) | 0x80 }
        // Lists of capabilities that this program knows, in any order, with loops.
        model.bytes[6] |= 0x10
        for offset in stride(from: 0x40, to: 0x100, by: 4) where random.next() % 2 == 0 {
          model.bytes[offset] = [1, 5, 0x10, 0x11, 0x13, 9][Int(random.next() % 6)]
          model.bytes[offset + 1] = UInt8(truncatingIfNeeded: random.next())
        }
        bus.add(FunctionAddress(requester: UInt16(truncatingIfNeeded: random.next() & 0x0f_ff)), model)
      }
      exercise(bus, &random)
    }
  }

  private func exercise(_ bus: ModelBus, _ random: inout SplitMix64) {
    var found = bus.scan()
    for index in found.indices { found[index].enableIsolation(in: bus) }
    var span = found.mutableSpan
    span.assignGroups()
    for index in found.indices {
      try? found.span.checkRanges(of: index, TakenRanges(MemoryMap()))
      found.span.eachRequester(of: index) { _ in }
      let saved = SavedConfiguration(of: found[index], in: bus)
      try? found[index].enableFirstMessage(InterruptMessage(address: 0xfee0_0000, data: 1), in: bus, NoMemory())
      guard let method = found.span.resetMethod(of: index) else { continue }
      var reset = FunctionReset(of: found[index], by: method, saved, in: bus, now: 0)
      for step in 0..<8 { _ = reset.step(in: bus, now: UInt64(step) << 32) }
    }
  }

  private struct NoMemory: DeviceMemory {
    func write32(_ value: UInt32, at address: PhysicalAddress) {}
  }
}
