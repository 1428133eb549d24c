// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

/// Reads the network cards of the VMs one after another, and plugs them into the switches.
struct NetworkReader {
  /// The name of the system; empty if it has none that is right.
  private let system: String
  /// The names of the switches, as written.
  private let switches: [String]
  /// Cards on each switch so far.
  private var ports: [Int]
  /// Addresses in use, whose they are, and the line of that card.
  private var owners: [MACAddress: (owner: String, line: Int)] = [:]

  init(system: String, switches: [String]) {
    self.system = system
    self.switches = switches
    ports = switches.map { _ in 0 }
  }

  /// The cards of a VM; one that is wrong is reported and left out.
  mutating func read(_ value: Value, of machine: String, _ report: inout Report) -> [NetworkCard] {
    let elements = value.elements
    if elements.count > Limits.cards {
      report.add(
        .network(.tooManyCards(machine: machine, count: elements.count)), at: elements[Limits.cards].place)
    }
    return elements.enumerated().compactMap { read($1, number: $0, of: machine, &report) }
  }

  private mutating func read(
    _ value: Value, number: Int, of machine: String, _ report: inout Report
  ) -> NetworkCard? {
    let isMap = report.check(
      value, is: .section(.networkCard), subject: "an entry of 'nics'", example: Key.cards.example,
      keyPlace: value.place)
    guard isMap else { return nil }
    let owner = "eth\(number) of VM \(quoted: machine)"
    let fields = report.fields(of: value, as: .networkCard, owner: owner, at: value.place)
    let network = fields[.cardSwitch].flatMap { plug($0, &report) }
    let derived = MACAddress(system: system, machine: machine, card: number)
    let address = fields[.address].map { readAddress($0, &report) } ?? derived
    let isUnique = address.map { claim($0, for: owner, at: fields[.address]?.place ?? value.place, &report) }
    let mtu = fields[.mtu].map { report.number($0, in: Limits.mtu, of: .mtu) } ?? 1500
    let offload = fields[.offload].map { report.word($0, of: .offload) } ?? "on"
    let vlans = readVLANs(fields, &report)
    let antiSpoofing = fields[.antiSpoofing].map { report.word($0, of: .antiSpoofing) } ?? "off"
    let rate = fields[.rate].map { readRate($0, &report) }
    guard let network, let address, isUnique == true, let mtu, let offload, let vlans, let antiSpoofing else {
      return nil
    }
    return NetworkCard(
      network: network, address: address, mtu: mtu, hasOffload: offload == "on", vlans: vlans,
      refusesForeignSource: antiSpoofing == "on", rate: rate ?? nil)
  }

  /// Takes a port of the switch that a card names. → the switch
  private mutating func plug(_ value: Value, _ report: inout Report) -> Int? {
    guard let index = switches.firstIndex(of: value.text) else {
      let near = nearest(to: value.text, in: switches)
      report.add(.network(.unknownSwitch(value.text, nearest: near, known: switches)), at: value.place)
      return nil
    }
    ports[index] += 1
    guard ports[index] <= Limits.ports else {
      report.add(.network(.tooManyPorts(value.text)), at: value.place)
      return nil
    }
    return index
  }

  // MARK: - The address

  private func readAddress(_ value: Value, _ report: inout Report) -> MACAddress? {
    let problem: AddressProblem
    switch MACAddress(text: value.text) {
    case nil: problem = .malformed(value.text)
    case let address? where address.rawValue == 0: problem = .zero(value.text)
    case let address? where address.isGroup: problem = .group(value.text)
    case let address?: return address
    }
    report.add(.address(problem), at: value.place)
    return nil
  }

  /// Whether nobody else has this address.
  private mutating func claim(
    _ address: MACAddress, for owner: String, at place: Place, _ report: inout Report
  ) -> Bool {
    if let first = owners[address] {
      report.add(.address(.repeated(address.text, owner: first.owner, firstLine: first.line)), at: place)
      return false
    }
    owners[address] = (owner, place.line)
    return true
  }

  // MARK: - VLANs and rate

  private func readVLANs(_ fields: Fields, _ report: inout Report) -> PortVLANs? {
    let vlan = fields[.vlan].map { report.number($0, in: Limits.vlans, of: .vlan) }
    guard let list = fields[.trunk] else { return (vlan ?? 1).map { .access($0) } }
    if list.elements.isEmpty { report.add(.network(.emptyTrunk), at: list.place) }
    let ranges = list.elements.compactMap { readRange($0, &report) }
    guard ranges.count == list.elements.count, !ranges.isEmpty else { return nil }
    for (index, range) in ranges.enumerated() {
      if let other = ranges[..<index].first(where: { $0.overlaps(range) }) {
        let vlan = max(range.lowerBound, other.lowerBound)
        report.add(.network(.repeatedVLAN(vlan)), at: list.elements[index].place)
      }
    }
    return .trunk(ranges, native: vlan ?? nil)
  }

  private func readRange(_ value: Value, _ report: inout Report) -> ClosedRange<Int>? {
    let isText = report.check(
      value, is: .numbers(Limits.vlans), subject: "an entry of 'trunk'", example: Key.trunk.example,
      keyPlace: value.place)
    return isText ? report.numbers(value, in: Limits.vlans, of: .trunk) : nil
  }

  /// Bits per second.
  private func readRate(_ value: Value, _ report: inout Report) -> UInt64? {
    guard report.matches(value.text, Key.rate.form), let digits = value.text.prefixMatch(of: /[0-9]+/),
      let count = UInt64(digits.output)
    else {
      report.add(.network(.badRate(value.text)), at: value.place)
      return nil
    }
    let units: [(name: String, bits: UInt64)] = [("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1000)]
    let rate = count * (units.first { value.text.hasSuffix($0.name) }?.bits ?? 1)
    guard Limits.rate.contains(rate) else {
      report.add(.network(.rateOutOfRange(value.text)), at: value.place)
      return nil
    }
    return rate
  }
}
