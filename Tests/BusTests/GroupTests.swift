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

  @Test func `a root port whose registers have 32 bits is switched where it has them`() {
    for (identity, isolates) in [(0xa110_8086, true), (0xa29f_8086, true), (0xa190_8086, false)] as [(UInt32, Bool)] {
      let bus = ModelBus()
      let model = ModelFunction(classCode: 0x060400, header: 1).bridge(1, 1).express(4)
      _ = model.extended(0x0d, [UInt8(everything), 0, 0, 0, 0, 0, 0, 0])
      model.put(identity, at: 0)
      model.put(everything, at: 0x108, in: \.writable)
      bus[0, 0x1c, 0] = model
      bus[1, 0, 0] = ModelFunction().express(0)
      #expect(bus.groups().count == (isolates ? 2 : 1))
      #expect(model.word(0x108, as: UInt16.self) == (isolates ? everything : 0))
    }
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
    // What has other registers for base addresses is the machine's.
    #expect(companions(bus, at(0, 0x11, 5)) == [])
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
