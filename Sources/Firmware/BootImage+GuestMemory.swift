// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

// Who may reach a guest's memory: its own VMM, and the servers that move data for it, which have no guest of their own.

extension BootImage {
  func checkGuestMemory() throws(BootImageError) {
    for index in 0..<count(.mappings) {
      let mapping = mapping(index)
      guard kind(ofRegion: Int(mapping.region)) == .guestMemory else { continue }
      let traits = DomainTraits(rawValue: domain(Int(mapping.domain)).traits)
      guard !traits.contains(.hasVirtualCPU) || isOwnMemory(mapping) else {
        throw BootImageError(.mappings, index, "gives a guest's memory to a VMM that is not that guest's")
      }
      guard !traits.intersects(.controlsDomains | .showsLog) else {
        throw BootImageError(
          .mappings, index, "gives a guest's memory to a domain that controls others or shows the log")
      }
    }
  }

  /// Whether the guest of the mapping's domain has the same memory.
  private func isOwnMemory(_ mapping: MappingRecord) -> Bool {
    for index in 0..<count(.guestMappings) {
      let guest = guestMapping(index)
      if guest.domain == mapping.domain, guest.region == mapping.region { return true }
    }
    return false
  }

  /// The number of the VM of a domain: how many domains before it have a vCPU.
  package func guest(ofDomain domain: Int) -> Int {
    var number = 0
    for index in 0..<min(domain, count(.domains)) {
      if DomainTraits(rawValue: self.domain(index).traits).contains(.hasVirtualCPU) { number += 1 }
    }
    return number
  }

  /// The domain whose guest has the region.
  package func guest(ofRegion region: Int) -> Int? {
    for index in 0..<count(.guestMappings) where guestMapping(index).region == UInt32(region) {
      return Int(guestMapping(index).domain)
    }
    return nil
  }
}
