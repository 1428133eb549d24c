// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Firmware
import X86

extension DomainBuilder {
  /// What the domain of a device can be told before the device is known: where the device finds memory.
  func information(of record: DeviceRecord) -> DeviceInformation {
    var information = DeviceInformation()
    let extent = regions[Int(record.memory)]
    information.memoryAddress = extent.start.value
    information.memorySize = extent.size
    information.interruptSlot = UInt32(record.slot)
    for index in 0..<reader.count(.mappings) {
      let mapping = reader.mapping(index)
      guard mapping.domain == record.domain, mapping.address >= AddressMap.guests else { continue }
      let offset = mapping.address - AddressMap.guests
      let number = Int(offset / AddressMap.guestStride)
      guard number < information.guests.count else { continue }
      let extent = regions[Int(mapping.region)]
      switch offset % AddressMap.guestStride {
      case 0:
        information.guests[number].low = extent.start.value
        information.guests[number].lowSize = extent.size
        information.guests[number].lowBase = directMapped.base(ofGuest: number)
      case AddressMap.guestHighOffset: information.guests[number].high = extent.start.value
      default: break
      }
    }
    return information
  }

  /// Gives a domain the registers of its device.
  func map(
    _ registers: PhysicalRange, into domain: Int, _ domains: Table<Domain>, _ memory: inout BootMemory
  ) throws(BootError) {
    try domains[domain].space.map(
      AddressMap.deviceRegisters, to: registers.start, size: registers.size,
      .user | .writable | .noExecute | .uncached, largest: .small, from: &memory)
  }

  /// Tells a domain of its device.
  func map(
    _ information: DeviceInformation, into domain: Int, _ domains: Table<Domain>, _ memory: inout BootMemory
  ) throws(BootError) {
    let page = try memory.page()
    _ = BootMemory.cell(information, at: page)
    try domains[domain].space.map(
      AddressMap.deviceInformation, to: page, size: 4096, .user | .noExecute, from: &memory)
  }
}
