// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Bus
import Firmware
import IOMMU

/// What the devices of a domain reach: of a VMM, its guest's memory at the guest's own addresses; of a server, its
/// clients' memory and what it shares with its device, at the machine's addresses.
extension DeviceAssignment {
  /// The table of all whose requests come from where.
  func makeOwners(_ memory: inout BootMemory) throws(BootError) -> Table<DeviceOwner> {
    let list = owners
    return try memory.table(list.count) { list[$0] }
  }

  /// Gives the function the memory of a domain's devices, and nothing else, if there is an IOMMU for it; else it has all
  /// memory already, which is said.
  mutating func attach(
    _ function: Int, to owner: Int, _ builder: borrowing DomainBuilder, _ memory: inout BootMemory
  ) throws(IOMMUError) {
    guard bus.isCovered(function) else {
      let name = domains[owner].name
      log(.warning, "\(name): unprotected DMA: no IOMMU keeps \(functions[function].address) from reaching all memory")
      return
    }
    let domain = try memoryOfDevices(of: owner, builder, &memory)
    if !domains[owner].traits.contains(.hasVirtualCPU) {
      try mapReservedMemory(of: functions[function].address, domain, &memory)
    }
    var requesters = InlineArray<16, FunctionAddress?>(repeating: nil)
    var count = 0
    functions.span.eachRequester(of: function) { address in
      if count < 16 {
        requesters[count] = address
        count += 1
      }
    }
    for index in 0..<count {
      guard let address = requesters[index] else { continue }
      try remapping[0].attach(address, to: domain, &memory)
      try? owners.append(DeviceOwner(address: address, domain: owner), orSay: "")
    }
  }

  /// Lets a server's device reach what firmware set aside for it, at the machine's addresses, as it must while its
  /// requests are translated (VT-d 4.1, §8.4). A VM's addresses mean other memory: such a device is not for a VM.
  private mutating func mapReservedMemory(
    of device: FunctionAddress, _ domain: DMADomain, _ memory: inout BootMemory
  ) throws(IOMMUError) {
    var index = 0
    while let range = remapping[0].reservedMemory(of: device, index) {
      index += 1
      let start = range.start.value.roundedDown(to: 4096)
      guard let end = range.end.value.roundedUp(to: 4096) else { throw .badRange }
      let extent = PhysicalExtent(start: PhysicalAddress(start), size: end - start)
      log(.information, "\(device) keeps the memory at \(hex: start) that firmware set aside for it")
      try remapping[0].map(domain, at: start, to: extent, &memory)
    }
  }

  private mutating func memoryOfDevices(
    of owner: Int, _ builder: borrowing DomainBuilder, _ memory: inout BootMemory
  ) throws(IOMMUError) -> DMADomain {
    if let domain = memories[owner] { return domain }
    let domain = try remapping[0].makeDomain(&memory)
    if domains[owner].traits.contains(.hasVirtualCPU) {
      for index in 0..<reader.count(.guestMappings) {
        let record = reader.guestMapping(index)
        guard record.domain == UInt32(owner), record.isOverlay == 0 else { continue }
        try builder.pieces(of: record).each { (address, extent) throws(IOMMUError) in
          try remapping[0].map(domain, at: address, to: extent, &memory)
        }
      }
    } else {
      for index in 0..<reader.count(.mappings) {
        let record = reader.mapping(index)
        guard record.domain == UInt32(owner),
          record.address >= AddressMap.guests || record.address == AddressMap.deviceMemory
        else { continue }
        let extent = builder.regions[Int(record.region)]
        try remapping[0].map(domain, at: extent.start.value, to: extent, &memory)
      }
    }
    memories[owner] = domain
    return domain
  }
}
