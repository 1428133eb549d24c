// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

// Who may own a PCI device: a server, one device each, with memory for the two of them and an interrupt of its own.

extension BootImage {
  func checkDevices() throws(BootImageError) {
    for index in 0..<count(.devices) {
      let device = device(index)
      try checkDomain(device.domain, .devices, index)
      let isPassed = device.kind == PCIDeviceKind.passthrough.rawValue
      if !isPassed { try checkRegion(device.memory, .devices, index) }
      if let rule = isPassed ? brokenRule(passed: device) : brokenRule(device) {
        throw BootImageError(.devices, index, rule)
      }
      for other in 0..<index {
        if let rule = brokenRule(device, beside: self.device(other)) { throw BootImageError(.devices, index, rule) }
      }
    }
  }

  /// A guest's device is there by its address, and its slot is its number.
  private func brokenRule(passed device: DeviceRecord) -> StaticString? {
    guard DomainTraits(rawValue: domain(Int(device.domain)).traits).role == .hasVirtualCPU else {
      return "is for a guest, but its domain has none"
    }
    guard device.isAny == 0 else { return "is for a guest, and has no address" }
    guard device.memory == DomainRecord.noIndex else { return "is for a guest, and has memory of its own" }
    guard device.slot < UInt16(PassedDevice.capacity) else { return "is a fifth device of its guest" }
    return nil
  }

  private func brokenRule(_ device: DeviceRecord) -> StaticString? {
    guard DomainTraits(rawValue: domain(Int(device.domain)).traits).role.isEmpty else {
      return "belongs to a domain with a vCPU, or one that controls others or shows the log"
    }
    guard PCIDeviceKind(rawValue: device.kind) != nil else { return "is of a kind that does not exist" }
    guard device.isAny <= 1 else { return "is neither any nor the one at an address" }
    guard kind(ofRegion: Int(device.memory)) == .deviceMemory, hasMemory(device) else {
      return "has no device memory where its domain looks for it"
    }
    guard device.slot < UInt16(Notifications.interruptCount) else { return "has an interrupt slot above 15" }
    for index in 0..<count(.interrupts) where interrupt(index).domain == device.domain {
      guard interrupt(index).slot != device.slot else { return "has an interrupt slot that its domain uses already" }
    }
    return nil
  }

  /// Whether the device's domain has its memory at the place for that, writable.
  private func hasMemory(_ device: DeviceRecord) -> Bool {
    for index in 0..<count(.mappings) {
      let mapping = mapping(index)
      let isIt = mapping.domain == device.domain && mapping.region == device.memory
      if isIt, mapping.address == AddressMap.deviceMemory, mapping.isWritable == 1 { return true }
    }
    return false
  }

  private func brokenRule(_ one: DeviceRecord, beside other: DeviceRecord) -> StaticString? {
    if one.domain == other.domain {
      guard one.kind == PCIDeviceKind.passthrough.rawValue, one.slot != other.slot, one.address != other.address else {
        return "is a second device of its domain"
      }
    }
    let isSame = one.isAny == 0 && other.isAny == 0 && one.address == other.address
    return isSame ? "belongs to another domain already" : nil
  }
}
