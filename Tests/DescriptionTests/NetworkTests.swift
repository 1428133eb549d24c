// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Foundation
import Testing

@testable import Description

private func address(_ text: String) throws -> MACAddress { try #require(MACAddress(text: text)) }

@Test func `switches and cards are as described`() throws {
  let system = try Fixture.parse("accepted", "network")

  #expect(
    system.switches == [
      VirtualSwitch(name: "lan", core: 0, ageing: 300), VirtualSwitch(name: "backbone", core: 5, ageing: 60),
      VirtualSwitch(name: "unused", core: 0, ageing: 300),
    ])
  #expect(
    system.machines[0].cards == [
      NetworkCard(
        network: 0, address: try address("02:00:00:00:aa:01"), mtu: 1500, hasOffload: true, vlans: .access(1),
        refusesForeignSource: false, rate: nil),
      NetworkCard(
        network: 1, address: try address("52:54:00:12:34:56"), mtu: 9000, hasOffload: false, vlans: .access(10),
        refusesForeignSource: false, rate: nil),
      NetworkCard(
        network: 1, address: MACAddress(system: "test", machine: "vm0", card: 2), mtu: 68, hasOffload: true,
        vlans: .trunk([10...10, 20...29, 4094...4094], native: 1), refusesForeignSource: true, rate: 100_000_000),
      NetworkCard(
        network: 0, address: try address("fe:ff:ff:ff:ff:fe"), mtu: 65535, hasOffload: true,
        vlans: .trunk([1...4094], native: nil), refusesForeignSource: false, rate: 1_000_000_000),
    ])
  #expect(system.machines[1].cards.map(\.rate) == [1000])
  #expect(system.machines[2].cards.isEmpty)
}

@Test func `a switch's core is one that the computer must have`() throws {
  #expect(try Fixture.parse("accepted", "network").requirements.cores == 6)
}

@Test func `a switch may have sixteen ports`() throws {
  let system = try parse(machines: 4, cards: 4)

  #expect(system.machines.reduce(0) { $0 + $1.cards.count } == Limits.ports)
}

@Test func `an address that is not given is the same in every build, and nobody else's`() throws {
  let addresses = try parse(machines: 4, cards: 4).machines.flatMap(\.cards).map(\.address)

  #expect(Set(addresses).count == 16)
  // Of one station, locally administered (IEEE 802, §8.4).
  #expect(addresses.allSatisfy { $0[0] & 0b11 == 0b10 })
  // People write these into their guests' configuration: they must not change with a new version.
  #expect(MACAddress(system: "test", machine: "vm0", card: 0).text == "42:97:29:77:b6:a8")
  #expect(MACAddress(system: "test", machine: "vm0", card: 1).text == "42:97:29:77:b0:fb")
  #expect(addresses[0] == MACAddress(system: "test", machine: "vm0", card: 0))
}

@Test func `an address that is made can be refused like one that is given`() throws {
  let made = MACAddress(system: "test", machine: "vm1", card: 0).text
  let error = #expect(throws: DescriptionErrors.self) {
    try parse(machines: 2, cards: 1) { machine, _ in machine == 0 ? ", mac: \(made)" : "" }
  }

  #expect(
    error?.description
      == "x.yaml:6:66: error: \(made) is already the address of eth0 of VM 'vm0' in line 5; "
      + "give each card its own, or leave 'mac' out")
}

@Test(arguments: ["02:00:00:00:aa:01", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"])
func `an address is the text it was made from`(text: String) {
  #expect(MACAddress(text: text)?.text == text)
  #expect(MACAddress(text: text.uppercased())?.text == text)
}

@Test(arguments: ["", ":::::", "02:00:00:00:aa:01:", "0200:00:00:aa:01", "+2:00:00:00:aa:01", "٠٢:00:00:00:aa:01"])
func `other text is no address`(text: String) {
  #expect(MACAddress(text: text) == nil)
}

/// A system `test` of so many VMs with so many cards each on one switch; `keys` adds to a card.
private func parse(
  machines: Int, cards: Int, keys: (_ machine: Int, _ card: Int) -> String = { _, _ in "" }
) throws -> System {
  var yaml = "name: test\nconsole: { uart: com1 }\nswitches: { lan: {} }\nvms:\n"
  for machine in 0..<machines {
    let list = (0..<cards).map { "{ switch: lan\(keys(machine, $0)) }" }.joined(separator: ", ")
    yaml += "  vm\(machine): { memory: 32 MiB, cores: [0], kernel: debian:i386, nics: [\(list)] }\n"
  }
  return try Description.parse(Array(yaml.utf8), file: "x.yaml", folder: "/")
}
