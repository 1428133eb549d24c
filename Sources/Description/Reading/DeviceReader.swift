// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

/// Reads the PCI devices of the VMs one after another, each of which has one owner.
struct DeviceReader {
  /// Whose devices they are, and the line that says so, by address.
  private var owners: [UInt32: (owner: String, line: Int)] = [:]

  /// - Parameter disks: The entries of `disks`, whose controllers are not to be had.
  init(disks: Value?) {
    for entry in disks?.entries ?? [] {
      for key in entry.value.entries where key.key == Key.pci.name {
        guard let address = PCIAddress(text: key.value.text) else { continue }
        owners[address.rawValue] = ("disk \(quoted: entry.key)", key.value.place.line)
      }
    }
  }

  /// The devices of a VM; one that is wrong is reported and left out.
  mutating func read(_ value: Value, of machine: String, _ report: inout Report) -> [ComputerDevice] {
    let elements = value.elements
    if elements.count > Limits.devices {
      report.add(
        .device(.tooMany(machine: machine, count: elements.count)), at: elements[Limits.devices].place)
    }
    return elements.compactMap { read($0, owner: "VM \(quoted: machine)", &report) }
  }

  private mutating func read(_ value: Value, owner: String, _ report: inout Report) -> ComputerDevice? {
    let isMap = report.check(
      value, is: .section(.passedDevice), subject: "an entry of 'devices'", example: Key.devices.example,
      keyPlace: value.place)
    guard isMap else { return nil }
    let fields = report.fields(of: value, as: .passedDevice, owner: "a device of \(owner)", at: value.place)
    let interrupt = fields[.interrupt].map { report.number($0, in: Limits.interrupts, of: .interrupt) }
    guard let place = fields[.device], let address = claim(place, for: owner, &report) else { return nil }
    if let interrupt, interrupt == nil { return nil }
    return ComputerDevice(address: address, interrupt: interrupt ?? nil)
  }

  /// The device that a value names, if nobody else has it.
  mutating func claim(_ value: Value, for owner: String, _ report: inout Report) -> PCIAddress? {
    guard let address = PCIAddress(text: value.text) else {
      report.add(.device(.badAddress(value.text)), at: value.place)
      return nil
    }
    if let first = owners[address.rawValue] {
      report.add(.device(.repeated(address.text, owner: first.owner, firstLine: first.line)), at: value.place)
      return nil
    }
    owners[address.rawValue] = (owner, value.place.line)
    return address
  }
}
