// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Description

// A switch is a domain of its own: it reaches the memory of the VMs that have a card on it, and shares a page
// (`DeviceLink`) and a pair of notifications with the VMM of each card. Port n of a switch is its channel slot n; device
// n of a VM has the slot after the console's and those of the devices before it.

extension SystemLayout {
  mutating func add(_ virtualSwitch: VirtualSwitch, number: Int) {
    let domain = builder.add(
      DomainRecord(
        name: ShortName(text: virtualSwitch.name), program: switchServer.file, symbols: switchServer.symbols,
        core: UInt16(virtualSwitch.core), priority: 5, traits: .mayMove, onCrash: .restart))
    let cards = cards(on: number)
    addCounters(ofSwitch: number, domain)
    let workspace = builder.add(.workspace, size: SwitchConfiguration.workspaceSize)
    builder.map(workspace, into: domain, at: AddressMap.workspace, isWritable: true)
    for machine in Set(cards.map(\.machine)).sorted() {
      for part in guestMemory[machine] {
        let address = AddressMap.guests + UInt64(machine) * AddressMap.guestStride + part.offset
        builder.map(part.region, into: domain, at: address, isWritable: true)
      }
    }
    for (port, card) in cards.enumerated() { connect(port: port, ofDomain: domain, to: card) }
    let configuration = builder.add(file: "switch.\(number)", configuration(of: virtualSwitch, cards))
    builder.map(file: configuration, into: domain, at: AddressMap.configuration)
  }

  /// The devices of a VM, as its VMM is told of them.
  func describeDevices(of machine: VirtualMachine, in configuration: inout VMMConfiguration) {
    configuration.deviceCount = UInt32(machine.cards.count + machine.disks.count)
    describeDisks(of: machine, in: &configuration)
    for (device, card) in machine.cards.enumerated() {
      var description = DeviceConfiguration()
      description.kind = DeviceKind.network.rawValue
      description.channelSlot = UInt32(Self.slot(ofDevice: device))
      description.address = card.address
      description.mtu = UInt32(card.mtu)
      description.hasNoOffload = card.hasOffload ? 0 : 1
      configuration.devices[device] = description
    }
  }

  /// Where a card is: the VM's number, and the card's number in it.
  private struct CardPlace {
    var machine: Int
    var card: Int
  }

  /// The cards on a switch, by port.
  private func cards(on network: Int) -> [CardPlace] {
    system.machines.enumerated().flatMap { number, machine in
      machine.cards.indices.filter { machine.cards[$0].network == network }
        .map { CardPlace(machine: number, card: $0) }
    }
  }

  /// The channel slot of a VM's device: its cards come first, then its disks.
  static func slot(ofDevice number: Int) -> Int { VMMConfiguration.consoleSlot + 1 + number }

  /// What the switch counts, for the console to show; it outlives the switch.
  private mutating func addCounters(ofSwitch number: Int, _ domain: UInt32) {
    let counters = builder.add(.shared, size: 4096)
    builder.map(counters, into: domain, at: AddressMap.switchCounters, isWritable: true)
    let place = AddressMap.switchCounters + UInt64(number) * 4096
    builder.map(counters, into: Self.consoleDomain, at: place, isWritable: false)
  }

  private mutating func connect(port: Int, ofDomain domain: UInt32, to card: CardPlace) {
    share(slot: port, ofDomain: domain, with: card.machine, device: card.card)
  }

  /// A page and a pair of notifications between a server and the VMM of a device.
  mutating func share(slot port: Int, ofDomain domain: UInt32, with machine: Int, device: Int) {
    let monitor = Self.domain(ofMachine: machine)
    let slot = Self.slot(ofDevice: device)
    let link = builder.add(.shared, size: DeviceLink.size)
    for (domain, slot) in [(domain, port), (monitor, slot)] {
      let address = AddressMap.channels + UInt64(slot) * AddressMap.channelStride
      builder.map(link, into: domain, at: address, isWritable: true)
    }
    builder.add(
      ChannelRecord(
        firstDomain: domain, firstSlot: UInt16(port), secondDomain: monitor, secondSlot: UInt16(slot)))
  }

  // MARK: - The configuration

  private func configuration(of virtualSwitch: VirtualSwitch, _ cards: [CardPlace]) -> [UInt8] {
    var configuration = SwitchConfiguration()
    configuration.name = ShortName(text: virtualSwitch.name)
    configuration.ageing = UInt32(virtualSwitch.ageing)
    configuration.portCount = UInt32(cards.count)
    for (port, card) in cards.enumerated() { configuration.ports[port] = self.port(of: card) }
    var bytes: [UInt8] = []
    bytes.append(record: configuration)
    return bytes
  }

  private func port(of place: CardPlace) -> PortConfiguration {
    let machine = system.machines[place.machine]
    let card = machine.cards[place.card]
    var port = PortConfiguration()
    port.machine = ShortName(text: machine.name)
    port.machineNumber = UInt32(place.machine)
    port.card = UInt32(place.card)
    (port.lowSize, port.highSize) = Self.memorySizes(of: machine)
    port.address = card.address
    port.rate = card.rate ?? 0
    port.refusesForeignSource = card.refusesForeignSource ? 1 : 0
    switch card.vlans {
    case .access(let vlan):
      port.mode = PortMode.access.rawValue
      port.vlan = UInt16(vlan)
    case .trunk(let ranges, let native):
      port.mode = PortMode.trunk.rawValue
      port.vlan = UInt16(native ?? 0)
      // The VLAN of frames without a tag is one of the trunk's, listed or not.
      for vlan in Array(ranges.joined()) + (native.map { [$0] } ?? []) {
        port.trunk[vlan / 64] |= 1 << UInt64(vlan % 64)
      }
    }
    return port
  }
}
