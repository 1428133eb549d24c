// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Description

// A disk's server is a domain of its own, with its controller: both reach the memory of the VMs that have a part of the
// disk. Client n of a disk is its channel slot n.

extension SystemLayout {
  /// - Parameter image: The contents of a disk that is an image file.
  mutating func add(_ disk: Disk, number: Int, image: [UInt8]?) {
    let domain = builder.add(
      DomainRecord(
        name: ShortName(text: disk.name), program: diskServer.file, symbols: diskServer.symbols,
        core: UInt16(disk.core), priority: 5, traits: .mayMove, onCrash: .restart))
    let clients = clients(of: number)
    addCounters(ofDisk: number, domain)
    let state = builder.add(.shared, size: DiskConfiguration.stateSize)
    builder.map(state, into: domain, at: AddressMap.serverState, isWritable: true)
    let workspace = builder.add(.workspace, size: DiskConfiguration.workspaceSize)
    builder.map(workspace, into: domain, at: AddressMap.workspace, isWritable: true)
    for machine in Set(clients.map(\.machine)).sorted() {
      for part in guestMemory[machine] {
        let address = AddressMap.guests + UInt64(machine) * AddressMap.guestStride + part.offset
        builder.map(part.region, into: domain, at: address, isWritable: true)
      }
    }
    for (slot, client) in clients.enumerated() {
      share(slot: slot, ofDomain: domain, with: client.machine, device: device(of: client))
    }
    switch disk.source {
    case .ahci(let address, let interrupt): addController(at: address, line: interrupt, domain)
    case .image:
      let file = builder.addShared(file: "disk-image", image ?? [])
      builder.map(file: file, into: domain, at: AddressMap.diskImage)
    }
    let configuration = builder.add(file: "disk.\(number)", configuration(of: disk, clients, image: image))
    builder.map(file: configuration, into: domain, at: AddressMap.configuration)
  }

  /// The disks of a VM, as its VMM is told of them.
  func describeDisks(of machine: VirtualMachine, in configuration: inout VMMConfiguration) {
    for (number, share) in machine.disks.enumerated() {
      var description = DeviceConfiguration()
      let device = machine.cards.count + number
      description.kind = DeviceKind.block.rawValue
      description.channelSlot = UInt32(Self.slot(ofDevice: device))
      description.queueCount = UInt32(share.queues)
      description.isOptional = share.isOptional ? 1 : 0
      description.name = ShortName(text: system.disks[share.disk].name)
      configuration.devices[device] = description
    }
  }

  /// Where a client is: the VM's number, and the disk's number in it.
  private struct ClientPlace {
    var machine: Int
    var disk: Int
  }

  /// The clients of a disk, by slot.
  private func clients(of disk: Int) -> [ClientPlace] {
    system.machines.enumerated().flatMap { number, machine in
      machine.disks.indices.filter { machine.disks[$0].disk == disk }.map { ClientPlace(machine: number, disk: $0) }
    }
  }

  private func device(of client: ClientPlace) -> Int { system.machines[client.machine].cards.count + client.disk }

  /// What the disk's server counts, for the console to show; it outlives the server.
  private mutating func addCounters(ofDisk number: Int, _ domain: UInt32) {
    let counters = builder.add(.shared, size: 4096)
    builder.map(counters, into: domain, at: AddressMap.diskCounters, isWritable: true)
    let place = AddressMap.diskCounters + UInt64(number) * 4096
    builder.map(counters, into: Self.consoleDomain, at: place, isWritable: false)
  }

  private mutating func addController(at address: PCIAddress?, line: Int?, _ domain: UInt32) {
    let memory = builder.add(.deviceMemory, size: DiskConfiguration.deviceMemorySize)
    builder.map(memory, into: domain, at: AddressMap.deviceMemory, isWritable: true)
    var record = DeviceRecord(
      domain: domain, kind: .ahci, address: address, memory: memory, slot: UInt16(DiskConfiguration.interruptSlot))
    if let line { record.line = UInt32(line) }
    record.isUnprotected = system.allowsUnprotectedDMA ? 1 : 0
    builder.add(record)
  }

  // MARK: - The configuration

  private func configuration(of disk: Disk, _ clients: [ClientPlace], image: [UInt8]?) -> [UInt8] {
    var configuration = DiskConfiguration()
    configuration.name = ShortName(text: disk.name)
    configuration.clientCount = UInt32(clients.count)
    if case .ahci(let address, _) = disk.source {
      configuration.controller = address ?? PCIAddress()
      configuration.isAnyController = address == nil ? 1 : 0
    }
    configuration.imageSize = UInt64(image?.count ?? 0)
    for (slot, client) in clients.enumerated() { configuration.clients[slot] = self.client(client) }
    var bytes: [UInt8] = []
    bytes.append(record: configuration)
    return bytes
  }

  private func client(_ place: ClientPlace) -> DiskClientConfiguration {
    let machine = system.machines[place.machine]
    let share = machine.disks[place.disk]
    var client = DiskClientConfiguration()
    client.machine = ShortName(text: machine.name)
    client.machineNumber = UInt32(place.machine)
    client.disk = UInt32(place.disk)
    (client.lowSize, client.highSize) = Self.memorySizes(of: machine)
    client.rate = share.rate ?? 0
    client.isReadOnly = share.isReadOnly ? 1 : 0
    client.queueCount = UInt32(share.queues)
    client.isOptional = share.isOptional ? 1 : 0
    client.name = ShortName(text: share.serial)
    client.select(share.part)
    return client
  }
}

extension DiskClientConfiguration {
  fileprivate mutating func select(_ part: DiskPart) {
    switch part {
    case .whole: selection = DiskSelection.whole.rawValue
    case .number(let number):
      selection = DiskSelection.number.rawValue
      partition = UInt32(number)
    case .name(let name): set(.name, name)
    case .uuid(let uuid): set(.identifier, uuid)
    }
  }

  private mutating func set(_ selection: DiskSelection, _ text: String) {
    self.selection = selection.rawValue
    let bytes = text.utf8.prefix(Self.textCapacity)
    textCount = UInt32(bytes.count)
    for (index, byte) in bytes.enumerated() { self.text[index] = byte }
  }
}
