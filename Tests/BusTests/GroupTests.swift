// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Bus
import Testing

/// Who can reach whom without the IOMMU.
@Suite struct GroupTests {
  private func port(_ role: UInt8, _ first: UInt8, _ last: UInt8, isolation: UInt16? = everything) -> ModelFunction {
    let model = ModelFunction(classCode: 0x060400, header: 1).bridge(first, last).express(role)
    return isolation.map { model.isolation($0) } ?? model
  }

  @Test func `on the reference machine a card behind an isolating port is alone`() {
    let groups = ModelBus.reference().groups()

    #expect(groups.contains(["66:00.0"]))
    #expect(groups.contains(["65:00.0"]))
    // Two functions of one device, and a port that sends nothing up.
    #expect(groups.contains(["00:11.0", "00:11.5"]))
    #expect(groups.contains(["00:1c.0", "01:00.0", "01:00.1"]))
    #expect(groups.contains(["ff:1f.0"]))
  }

  @Test func `ports isolate once isolation is switched on`() throws {
    let bus = ModelBus.reference()
    #expect(bus[0x65, 0, 0]?.word(0x106, as: UInt16.self) == 0)
    _ = bus.groups()
    #expect(bus[0x65, 0, 0]?.word(0x106, as: UInt16.self) == everything)
  }

  @Test func `one port on the way that does not isolate makes one group of all below it`() {
    let bus = ModelBus()
    bus[0, 1, 0] = port(4, 1, 4, isolation: nil)
    bus[1, 0, 0] = port(5, 2, 4)
    bus[2, 0, 0] = port(6, 3, 3)
    bus[2, 1, 0] = port(6, 4, 4)
    bus[3, 0, 0] = ModelFunction().express(0)
    bus[4, 0, 0] = ModelFunction().express(0)
    #expect(bus.groups() == [["00:01.0", "01:00.0", "02:00.0", "02:01.0", "03:00.0", "04:00.0"]])

    bus[0, 1, 0] = port(4, 1, 4)
    #expect(bus.groups().count == 6)

    bus[2, 1, 0] = port(6, 4, 4, isolation: nil)
    #expect(bus.groups() == [["00:01.0"], ["01:00.0"], ["02:00.0"], ["02:01.0", "04:00.0"], ["03:00.0"]])
  }

  @Test func `what a port cannot switch on counts as always so`() {
    let bus = ModelBus()
    bus[0, 1, 0] = port(4, 1, 1, isolation: 0x01)
    bus[1, 0, 0] = ModelFunction().express(0)
    #expect(bus.groups() == [["00:01.0"], ["01:00.0"]])
  }

  @Test func `a port whose switches do not move isolates nothing`() {
    let bus = ModelBus()
    let stuck = port(4, 1, 1)
    stuck.put(UInt16(0), at: 0x106, in: \.writable)
    bus[0, 1, 0] = stuck
    bus[1, 0, 0] = ModelFunction().express(0)
    #expect(bus.groups() == [["00:01.0", "01:00.0"]])
  }

  @Test func `functions of one device are one group unless both isolate`() {
    let bus = ModelBus()
    bus[0, 4, 0] = ModelFunction().multifunction().express(9).isolation(everything)
    bus[0, 4, 1] = ModelFunction().multifunction().express(9).isolation(everything)
    bus[0, 4, 2] = ModelFunction().multifunction().express(9)
    bus[0, 4, 3] = ModelFunction().multifunction().express(9)
    #expect(bus.groups() == [["00:04.0"], ["00:04.1"], ["00:04.2", "00:04.3"]])
  }

  @Test func `behind a conventional bridge all are one group, with the bridge's names`() {
    let bus = ModelBus()
    bus[0, 1, 0] = port(4, 1, 2)
    bus[1, 0, 0] = port(7, 2, 3, isolation: nil)
    bus[2, 3, 0] = ModelFunction(classCode: 0x060400, header: 1).bridge(3, 3)
    bus[3, 1, 0] = ModelFunction()
    bus[2, 4, 0] = ModelFunction()
    #expect(bus.groups() == [["00:01.0"], ["01:00.0", "02:03.0", "02:04.0", "03:01.0"]])

    let found = bus.scan()
    var names: [String] = []
    if let index = found.span.index(of: at(3, 1)) {
      found.span.eachRequester(of: index) { names.append(text("\($0)")) }
    }
    #expect(names == ["03:01.0", "02:03.0", "02:00.0", "01:00.0"])
  }

  @Test func `a card behind ports alone has one name`() {
    let found = ModelBus.reference().scan()
    #expect(found.span.buses(behind: at(0x65, 0)) == 0x66...0x66)
    #expect(found.span.buses(behind: at(0x66, 0)) == nil)
    var names: [FunctionAddress] = []
    found.span.eachRequester(of: 8) { names.append($0) }
    #expect(names == [at(0x66, 0)])
  }

  /// Who must go where the function at `address` goes.
  private func companions(_ bus: ModelBus, _ address: FunctionAddress) -> [String] {
    var found = bus.scan()
    for index in found.indices { found[index].enableIsolation(in: bus) }
    var span = found.mutableSpan
    span.assignGroups()
    guard let index = found.span.index(of: address) else { return ["no such function"] }
    var names: [String] = []
    found.span.eachCompanion(of: index) { names.append(found[$0].name) }
    return names
  }

  @Test func `whoever gets a function gets the others of its group, but no bridge and nothing of the machine`() {
    let bus = ModelBus.reference()
    #expect(companions(bus, at(0x66, 0)) == [])
    #expect(companions(bus, at(0, 0x11, 5)) == ["00:11.0"])
    // The port between them and the root stays.
    #expect(companions(bus, at(1, 0, 0)) == ["01:00.1"])

    bus[0, 0x1f, 0] = ModelFunction(classCode: 0x060100).multifunction()
    bus[0, 0x1f, 2] = ModelFunction(classCode: 0x010601).multifunction()
    bus[0, 0x1f, 3] = ModelFunction(classCode: 0x0c0500).multifunction()
    #expect(companions(bus, at(0, 0x1f, 2)) == ["00:1f.3"])
    #expect(companions(bus, at(0, 0x1f, 3)) == ["00:1f.2"])
  }

  @Test func `of a hundred functions behind one conventional bridge each needs all others`() {
    let bus = ModelBus()
    bus[0, 1, 0] = port(7, 1, 1, isolation: nil)
    for device in UInt8(0)..<25 {
      for function in UInt8(0)..<4 { bus[1, device, function] = ModelFunction().multifunction() }
    }
    #expect(companions(bus, at(1, 12, 3)).count == 99)
  }

  @Test func `bridges that point at themselves or back lead nowhere`() {
    let bus = ModelBus()
    bus[1, 0, 0] = port(7, 1, 1)
    bus[2, 0, 0] = port(7, 1, 1)
    bus[3, 0, 0] = port(7, 2, 3)
    #expect(bus.groups().count == 3)
  }
}

/// Which ranges may be handed over.
@Suite struct RangeTests {
  private func problem(
    _ models: [ModelFunction], owners: [Int] = [], isTaken: (UInt64) -> Bool = { _ in false }
  ) -> RangeProblem? {
    let bus = ModelBus()
    for (index, model) in models.enumerated() { bus[0, UInt8(index + 1), 0] = model }
    let found = bus.scan()
    do throws(RangeProblem) {
      try found.span.checkRanges(
        of: 0, isTaken: { isTaken($0.start.value) || isTaken($0.end.value - 1) }, isSameOwner: { owners.contains($0) })
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
    #expect(problem([memory(0x10_0000)], isTaken: { $0 < 0x8000_0000 }) == .taken(range: 0))
    #expect(problem([memory(0x8000_0800, 0x100)], isTaken: { $0 <= 0x8000_0000 }) == .taken(range: 0))
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
    #expect(problem([memory(0xc000, 0x1000), ModelFunction().io(0, at: 0xc000, size: 32)]) == nil)
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

  @Test func `a refusal reads as a sentence`() {
    #expect(
      text(RangeProblem.overlaps(range: 0, at(0, 2)).line(of: at(0x66, 0)))
        == "66:00.0: base address 0 lies over a range of 00:02.0")
  }
}
