// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Firmware
import Speculation
import X86

extension DomainBuilder {
  /// The vCPUs, in the order of their domains.
  func virtualCPUs(
    _ host: BootHost, _ domains: Table<Domain>, _ cores: Table<Core>, _ memory: inout BootMemory
  ) throws(BootError) -> Table<VirtualCPU> {
    let maker = try GuestMaker(host.support, host.features, host.speculation, &memory)
    var owners = FixedList<32, Int>()
    for index in 0..<domains.count where domains[index].traits.contains(.hasVirtualCPU) {
      try owners.append(index, orSay: "the description has more than 32 vCPUs")
    }
    guard owners.count < maker.identifierCount else {
      throw .refused("the processor has fewer address-space identifiers than there are VMs")
    }
    let list = owners
    return try BootMemory.table(list.count, in: &memory) { place, memory throws(BootError) in
      try virtualCPU(
        of: list[place], identifier: UInt32(place + 1), domains[list[place]].space, maker, cores, &memory)
    }
  }

  /// The threads, in the order of their domains.
  func threads(_ domains: Table<Domain>, _ memory: inout BootMemory) throws(BootError) -> Table<Thread> {
    var next = 0
    return try memory.table(domains.count) { index in
      let record = reader.domain(index)
      var virtualCPU: Int?
      if domains[index].traits.contains(.hasVirtualCPU) {
        virtualCPU = next
        next += 1
      }
      return Thread(core: placement[index].core, priority: record.priority, virtualCPU: virtualCPU)
    }
  }

  private func virtualCPU(
    of domain: Int, identifier: UInt32, _ space: AddressSpace, _ maker: GuestMaker, _ cores: Table<Core>,
    _ memory: inout BootMemory
  ) throws(BootError) -> VirtualCPU {
    let page = try memory.page()
    let state = BootMemory.cell(VirtualCPUState(), at: page)
    try space.map(
      AddressMap.virtualCPU, to: page, size: 4096, .user | .writable | .noExecute, from: &memory)
    let guest = try AddressSpace(&memory, form: maker.form)
    let overlay = try mapGuest(of: domain, guest, maker.largestPage, &memory)
    let area = UInt64(maker.features.extendedStateSize).roundedUp(to: 4096) ?? 4096
    let extended = ExtendedState(
      area: PhysicalExtent(start: try memory.bytes(area), size: area), features: maker.features,
      maker.speculation.plan, movesCalls: maker.movesCallRegisters)
    let host = cores[placement[domain].core].hostState
    let processor = try maker.make(guest, identifier: identifier, host: host, overlay: overlay, from: &memory)
    return VirtualCPU(state: state, processor: processor, extended: extended, memory: guest)
  }

  /// Fills the nested page table: guest memory in the largest pages that fit, and the overlay page, not yet shown.
  private func mapGuest(
    of domain: Int, _ guest: AddressSpace, _ largest: PageSize, _ memory: inout BootMemory
  ) throws(BootError) -> (entry: Cell<PageTableEntry>, shown: PageTableEntry)? {
    var overlay: (entry: Cell<PageTableEntry>, shown: PageTableEntry)?
    for index in 0..<reader.count(.guestMappings) {
      let record = reader.guestMapping(index)
      guard record.domain == UInt32(domain) else { continue }
      if record.isOverlay != 0 {
        let extent = regions[Int(record.region)]
        let entry = try guest.smallEntry(of: record.address, from: &memory)
        overlay = (entry, guest.page(extent.start, .writable | .user | .noExecute))
      } else {
        try pieces(of: record).each { (address, extent) throws(BootError) in
          try guest.map(
            address, to: extent.start, size: extent.size, .user | .writable, largest: largest, from: &memory)
        }
      }
    }
    return overlay
  }

  /// Where a guest has its memory of a mapping.
  func pieces(of record: GuestMappingRecord) -> GuestPieces {
    GuestPieces(
      record.address, regions[Int(record.region)],
      base: directMapped.base(ofGuest: reader.guest(ofDomain: Int(record.domain))))
  }
}
