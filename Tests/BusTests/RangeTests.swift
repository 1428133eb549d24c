// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Bus
import Firmware
import Testing

/// Which ranges may be handed over.
@Suite struct RangeTests {
  private func problem(
    _ models: [ModelFunction], owners: [Int] = [], _ taken: TakenRanges = reference()
  ) -> RangeProblem? {
    let bus = ModelBus()
    for (index, model) in models.enumerated() { bus[0, UInt8(index + 1), 0] = model }
    let found = bus.scan()
    do throws(RangeProblem) {
      try found.span.checkRanges(of: 0, taken, isSameOwner: { owners.contains($0) })
      return nil
    } catch {
      return error
    }
  }

  private func memory(_ address: UInt32, _ size: UInt32 = 0x1000) -> ModelFunction {
    ModelFunction().memory(0, at: address, size: size)
  }

  @Test func `ranges of their own are sound`() {
    #expect(problem([memory(0xf000_0000).io(1, at: 0xc000, size: 32), memory(0xf000_1000)]) == nil)
  }

  @Test func `a range over memory is refused, and its page counts`() {
    var taken = TakenRanges(MemoryMap())
    #expect(problem([memory(0x10_0000)], taken) == nil)
    taken.take(PhysicalRange(start: PhysicalAddress(0x10_0000), size: 1))
    #expect(problem([memory(0x10_0800, 0x100)], taken) == .taken(range: 0))
  }

  @Test func `a range over another function's is refused`() {
    #expect(problem([memory(0xf000_0000), memory(0xf000_0000, 0x100)]) == .overlaps(range: 0, at(0, 2)))
    #expect(problem([memory(0xf000_0000, 0x100), memory(0xf000_0000, 0x10_0000)]) == .overlaps(range: 0, at(0, 2)))
    let ports = ModelFunction().io(0, at: 0xc000, size: 32)
    #expect(problem([ports, ModelFunction().io(3, at: 0xc010, size: 4)]) == .overlaps(range: 0, at(0, 2)))
    #expect(
      problem([memory(0xf000_0000).memory(1, at: 0xf000_0000, size: 0x1000)]) == .overlaps(range: 0, at(0, 1)))
  }

  @Test func `ports and memory of the same number are different places`() {
    #expect(problem([ModelFunction().io(0, at: 0xc000, size: 32), memory(0xc000, 0x1000)]) == nil)
  }

  @Test func `two owners do not share a page`() {
    let pair = [memory(0xf000_0000, 0x100), memory(0xf000_0800, 0x100)]
    #expect(problem(pair) == .sharesPage(range: 0, at(0, 2)))
    #expect(problem(pair, owners: [1]) == nil)
  }

  @Test func `a range without a place, or beyond all places, is refused`() {
    #expect(problem([memory(0)]) == .unassigned(range: 0))
    #expect(problem([ModelFunction().memory64(2, at: 1 << 52, size: 0x1000)]) == .outOfReach(range: 2))
    #expect(problem([ModelFunction().io(0, at: 0x1_0000, size: 32, bits: .max)]) == .outOfReach(range: 0))
    let last = ModelFunction()
    last.put(UInt32(4), at: 36)
    #expect(problem([last]) == .malformed(range: 5))
  }

  // MARK: - What is somebody's already

  /// The memory map and tables of a machine like the reference, with 8 GiB.
  private static func reference() -> TakenRanges {
    var map = MemoryMap()
    map.add(start: PhysicalAddress(0), size: 0x9_f000, kind: .usable)
    map.add(start: PhysicalAddress(0x10_0000), size: 0x6ef0_0000, kind: .usable)
    map.reserve(start: PhysicalAddress(0x20_0000), size: 0x4_0000)
    map.add(start: PhysicalAddress(0x6f00_0000), size: 0x10_0000, kind: .acpi)
    // What is stolen, then configuration windows.
    map.add(start: PhysicalAddress(0x6f10_0000), size: 0x2100_0000, kind: .reserved)
    map.add(start: PhysicalAddress(0xfd00_0000), size: 0x180_0000, kind: .reserved)
    map.add(start: PhysicalAddress(0x1_0000_0000), size: 0x1_7000_0000, kind: .usable)
    map.add(start: PhysicalAddress(0x2_7000_0000), size: 0x1000_0000, kind: .reserved)
    map.add(start: PhysicalAddress(0x2_8000_0000), size: 0x1000_0000, kind: .usable)
    map.add(start: PhysicalAddress(0x2_9000_0000), size: 0x1000_0000, kind: .other)
    map.add(start: PhysicalAddress(0x38_0000_0000), size: 0x4_0000_0000, kind: .reserved)
    var taken = TakenRanges(map)
    taken.take(PhysicalRange(start: PhysicalAddress(0x8000_0000), size: 256 * .MiB))
    taken.take(PhysicalRange(start: PhysicalAddress(0xfd90_0000), size: 0x1000))
    taken.take(ports: 0x1800..<0x1900)
    taken.take(ports: 0xe0c0..<0xe0c8)
    return taken
  }

  @Test(
    arguments: [
      // The kernel, a guest's start, ACPI's tables, what is stolen above these, the end of one in memory.
      0x20_0000, 0x4000_0000, 0x6f00_0000, 0x6eff_f000, 0x2_6fff_f000, 0x1_0000_0000, 0x2_8800_0000,
      // What is reserved with memory around it, persistent memory, video memory of old, the BIOS.
      0x2_7000_0000, 0x2_9000_0000, 0xa_0000, 0xf_0000,
      // Configuration windows, an IOMMU; I/O APIC, HPET, messages, TPM, flash.
      0x8000_0000, 0x8fff_f000, 0xfd90_0000, 0xfec0_0000, 0xfed0_0000, 0xfee0_0000, 0xfed4_0000, 0xffff_f000,
    ] as [UInt64])
  func `memory, and what the machine itself answers at, is taken`(address: UInt64) {
    #expect(problem([ModelFunction().memory64(0, at: address, size: 0x1000)]) == .taken(range: 0))
  }

  @Test(
    arguments: [
      // Where firmware puts devices; in what it calls reserved, too, above all memory.
      0x9010_0000, 0xfebf_f000, 0xfd00_0000, 0xfe00_0000, 0x38_0000_0000, 0x3f_ffff_f000, 0x2_a000_0000,
    ] as [UInt64])
  func `where devices are is not taken, whatever the map calls reserved`(address: UInt64) {
    #expect(problem([ModelFunction().memory64(0, at: address, size: 0x1000)]) == nil)
  }

  @Test func `a range that begins before what is taken, or holds it, is refused`() {
    #expect(problem([ModelFunction().memory64(0, at: 0, size: 1 << 40)]) == .unassigned(range: 0))
    #expect(problem([ModelFunction().memory64(0, at: 1 << 31, size: 1 << 31)]) == .taken(range: 0))
    #expect(problem([ModelFunction().memory64(0, at: 0xfe00_0000, size: 1 << 24)]) == .taken(range: 0))
  }

  @Test(arguments: [0xcf8, 0x20, 0x40, 0x70, 0x80, 0x3f8, 0x400, 0xff8, 0x1800, 0x1804, 0xe0c0] as [UInt32])
  func `ports of the chipset and of others are taken`(port: UInt32) {
    #expect(problem([ModelFunction().io(0, at: port, size: 8)]) == .taken(range: 0))
  }

  @Test func `ports that firmware gave no place are as if they were not there`() throws {
    let model = memory(0xf000_0000).io(1, at: 0, size: 32).io(2, at: 0xc000, size: 32)
    #expect(problem([model]) == nil)
    let bus = ModelBus()
    bus[0, 1, 0] = model
    let found = try #require(bus.scan().first)
    #expect(!found.usesPorts)
    #expect((0..<6).map { found.handedOver.ranges[$0].kind } == [.memory, .none, .none, .none, .none, .none])
    #expect(problem([model.io(1, at: 0x2000, size: 32).io(2, at: 0xcf8, size: 8)]) == .taken(range: 2))
  }

  // MARK: - Bridges

  /// A card behind a root port that passes on 0xf000_0000 to 0xf01f_ffff, 0x40_0000_0000 to 0x40_000f_ffff (for which
  /// reads may be made up) and the ports 0x2000 to 0x2fff.
  private func behindPort(_ card: ModelFunction, change: (ModelFunction) -> Void = { _ in }) -> RangeProblem? {
    let port = ModelFunction(classCode: 0x060400, header: 1).bridge(1, 1).express(4)
    port.put(UInt16(0x2121), at: 0x1c)
    port.put(UInt32(0xf010_f000), at: 0x20)
    port.put(UInt32(0x0001_0001), at: 0x24)
    port.put(UInt32(0x40), at: 0x28)
    port.put(UInt32(0x40), at: 0x2c)
    change(port)
    let bus = ModelBus()
    bus[0, 1, 0] = port
    bus[1, 0, 0] = card
    let found = bus.scan()
    do throws(RangeProblem) {
      try found.span.checkRanges(of: 1, Self.reference())
      return nil
    } catch {
      return error
    }
  }

  @Test func `what the bridge above passes on is sound`() {
    #expect(behindPort(memory(0xf000_0000, 0x10_0000).io(1, at: 0x2f00, size: 256)) == nil)
    #expect(behindPort(memory(0xf010_0000, 0x10_0000)) == nil)
    #expect(behindPort(ModelFunction().memory64(0, at: 0x40_0000_0000, size: 0x10_0000)) == nil)
  }

  @Test func `what the bridge above does not pass on is refused`() {
    let outside = RangeProblem.outsideWindow(range: 0, at(0, 1))
    #expect(behindPort(memory(0xf020_0000)) == outside)
    #expect(behindPort(memory(0xf000_0000, 0x40_0000)) == outside)
    #expect(behindPort(ModelFunction().memory64(0, at: 0x40_0010_0000, size: 0x1000)) == outside)
    #expect(behindPort(ModelFunction().io(0, at: 0x3000, size: 32)) == outside)
    #expect(behindPort(memory(0xf000_0000)) { $0.put(UInt32(0x0000_fff0), at: 0x20) } == outside, "no window")
    #expect(
      text(outside.line(of: at(1, 0))) == "01:00.0: base address 0 lies where the bridge 00:01.0 passes nothing on")
  }

  @Test func `a bridge that passes on what nobody takes closes nothing`() {
    #expect(behindPort(memory(0xf020_0000)) { $0.put(UInt32(0x06_0401_00), at: 8) } == nil)
  }

  @Test func `a refusal reads as a sentence`() {
    #expect(
      text(RangeProblem.overlaps(range: 0, at(0, 2)).line(of: at(0x66, 0)))
        == "66:00.0: base address 0 lies over a range of 00:02.0")
  }
}
