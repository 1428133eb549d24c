// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

// What domains may be given: each right names a domain that exists, and none collides with another.

extension BootImage {
  func checkMappings() throws(BootImageError) {
    for index in 0..<count(.mappings) {
      let mapping = mapping(index)
      try checkDomain(mapping.domain, .mappings, index)
      try checkRegion(mapping.region, .mappings, index)
      guard mapping.isWritable <= 1 else {
        throw BootImageError(.mappings, index, "is neither writable nor read-only")
      }
      if mapping.isWritable == 1 {
        switch kind(ofRegion: Int(mapping.region)) {
        case .shared, .workspace, .guestMemory, .deviceMemory: break
        case .file, .log, .status: throw BootImageError(.mappings, index, "makes writable what is read-only")
        }
      }
      try checkPlace(mapping, index)
      for other in 0..<index { try checkTogether(mapping, self.mapping(other), index) }
    }
  }

  /// A mapping lies on pages that belong to nothing every domain has.
  private func checkPlace(_ mapping: MappingRecord, _ index: Int) throws(BootImageError) {
    let size = region(Int(mapping.region)).size
    guard mapping.address.isAligned(to: 4096) else {
      throw BootImageError(.mappings, index, "does not begin on a page")
    }
    guard fits(mapping.address, count: size, in: AddressMap.end) else {
      throw BootImageError(.mappings, index, "lies outside a component's addresses")
    }
    guard mapping.address >= AddressMap.stackTop else {
      throw BootImageError(.mappings, index, "lies where the program and its stack are")
    }
    guard !overlap(mapping.address, size, AddressMap.information, 4096) else {
      throw BootImageError(.mappings, index, "lies where the system's information is")
    }
    guard !overlap(mapping.address, size, AddressMap.virtualCPU, 4096) else {
      throw BootImageError(.mappings, index, "lies where the vCPU is")
    }
    let own = AddressMap.deviceMemory - AddressMap.deviceInformation
    guard !overlap(mapping.address, size, AddressMap.deviceInformation, own) else {
      throw BootImageError(.mappings, index, "lies where a device's registers are")
    }
  }

  private func checkTogether(_ one: MappingRecord, _ other: MappingRecord, _ index: Int) throws(BootImageError) {
    guard one.domain == other.domain else {
      guard one.region == other.region else { return }
      switch kind(ofRegion: Int(one.region)) {
      case .workspace: throw BootImageError(.mappings, index, "gives one domain's workspace to another")
      case .deviceMemory: throw BootImageError(.mappings, index, "gives one domain's device memory to another")
      case .shared, .file, .guestMemory, .log, .status: break
      }
      return
    }
    guard !overlap(one.address, region(Int(one.region)).size, other.address, region(Int(other.region)).size) else {
      throw BootImageError(.mappings, index, "overlaps another of its domain")
    }
  }

  func checkGuestMappings() throws(BootImageError) {
    for index in 0..<count(.guestMappings) {
      let mapping = guestMapping(index)
      try checkDomain(mapping.domain, .guestMappings, index)
      try checkRegion(mapping.region, .guestMappings, index)
      guard DomainTraits(rawValue: domain(Int(mapping.domain)).traits).contains(.hasVirtualCPU) else {
        throw BootImageError(.guestMappings, index, "belongs to a domain without a vCPU")
      }
      guard mapping.isOverlay <= 1 else {
        throw BootImageError(.guestMappings, index, "is neither memory nor an overlay")
      }
      if let rule = mapping.isOverlay == 1 ? brokenOverlayRule(mapping) : brokenMemoryRule(mapping) {
        throw BootImageError(.guestMappings, index, rule)
      }
      guard fits(mapping.address, count: region(Int(mapping.region)).size, in: AddressMap.end) else {
        throw BootImageError(.guestMappings, index, "lies outside a guest's addresses")
      }
      for other in 0..<index { try checkTogether(mapping, guestMapping(other), index) }
    }
  }

  private func brokenMemoryRule(_ mapping: GuestMappingRecord) -> StaticString? {
    guard kind(ofRegion: Int(mapping.region)) == .guestMemory else { return "gives a guest what is no guest memory" }
    return mapping.address.isAligned(to: 2 * .MiB) ? nil : "does not begin on a multiple of 2 MiB"
  }

  /// An overlay is one page of the domain's own workspace: of nothing that another domain has.
  private func brokenOverlayRule(_ mapping: GuestMappingRecord) -> StaticString? {
    let size = region(Int(mapping.region)).size
    guard kind(ofRegion: Int(mapping.region)) == .workspace, size == 4096 else {
      return "gives a guest an overlay that is not one page of workspace"
    }
    guard mapping.address.isAligned(to: 4096) else { return "does not begin on a page" }
    for index in 0..<count(.mappings) {
      let own = self.mapping(index)
      if own.domain == mapping.domain, own.region == mapping.region { return nil }
    }
    return "gives a guest an overlay that its domain does not have"
  }

  private func checkTogether(
    _ one: GuestMappingRecord, _ other: GuestMappingRecord, _ index: Int
  ) throws(BootImageError) {
    guard one.domain == other.domain else {
      // An overlay is of a workspace, which no two domains have.
      guard one.region != other.region else {
        throw BootImageError(.guestMappings, index, "gives one guest's memory to another")
      }
      return
    }
    guard one.isOverlay == 0 || other.isOverlay == 0 else {
      throw BootImageError(.guestMappings, index, "is a second overlay of its guest")
    }
    guard !overlap(one.address, region(Int(one.region)).size, other.address, region(Int(other.region)).size) else {
      throw BootImageError(.guestMappings, index, "overlaps another of its guest")
    }
  }

  func checkChannels() throws(BootImageError) {
    // The slots that each domain has in use.
    var used = InlineArray<32, UInt32>(repeating: 0)
    for index in 0..<count(.channels) {
      let channel = channel(index)
      for end in 0..<2 {
        let domain = end == 0 ? channel.firstDomain : channel.secondDomain
        let slot = end == 0 ? channel.firstSlot : channel.secondSlot
        try checkDomain(domain, .channels, index)
        guard slot < UInt16(Notifications.channelCount) else {
          throw BootImageError(.channels, index, "has a slot above 31")
        }
        let bit = UInt32(1) << UInt32(slot)
        guard used[Int(domain)] & bit == 0 else {
          throw BootImageError(.channels, index, "has a slot that its domain uses already")
        }
        used[Int(domain)] |= bit
      }
    }
  }

  func checkPorts() throws(BootImageError) {
    for index in 0..<count(.ports) {
      let ports = ports(index)
      try checkDomain(ports.domain, .ports, index)
      guard ports.count > 0, fits(UInt64(ports.first), count: UInt64(ports.count), in: 0x1_0000) else {
        throw BootImageError(.ports, index, "is empty or goes beyond port 0xffff")
      }
      for other in 0..<index { try checkTogether(ports, self.ports(other), index) }
    }
  }

  private func checkTogether(_ one: PortRecord, _ other: PortRecord, _ index: Int) throws(BootImageError) {
    guard one.domain != other.domain else { return }
    guard !overlap(UInt64(one.first), UInt64(one.count), UInt64(other.first), UInt64(other.count)) else {
      throw BootImageError(.ports, index, "has a port that another domain has")
    }
  }

  func checkInterrupts() throws(BootImageError) {
    // The slots that each domain has in use.
    var used = InlineArray<32, UInt16>(repeating: 0)
    for index in 0..<count(.interrupts) {
      let interrupt = interrupt(index)
      try checkDomain(interrupt.domain, .interrupts, index)
      guard interrupt.slot < UInt16(Notifications.interruptCount) else {
        throw BootImageError(.interrupts, index, "has a slot above 15")
      }
      guard interrupt.isISA == 0 || (interrupt.isISA == 1 && interrupt.source < 16) else {
        throw BootImageError(.interrupts, index, "comes from an ISA line that does not exist")
      }
      let bit = UInt16(1) << interrupt.slot
      guard used[Int(interrupt.domain)] & bit == 0 else {
        throw BootImageError(.interrupts, index, "has a slot that its domain uses already")
      }
      used[Int(interrupt.domain)] |= bit
    }
  }

  func checkDomain(_ domain: UInt32, _ table: BootTable, _ index: Int) throws(BootImageError) {
    guard domain < UInt32(count(.domains)) else {
      throw BootImageError(table, index, "names a domain that is not there")
    }
  }

  func checkRegion(_ region: UInt32, _ table: BootTable, _ index: Int) throws(BootImageError) {
    guard region < UInt32(count(.regions)) else {
      throw BootImageError(table, index, "names a region that is not there")
    }
  }
}

/// Whether two ranges, neither of which wraps, share an address.
private func overlap(_ start: UInt64, _ size: UInt64, _ otherStart: UInt64, _ otherSize: UInt64) -> Bool {
  start < otherStart &+ otherSize && otherStart < start &+ size
}
