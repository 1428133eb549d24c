// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Firmware

@Suite struct BootDeviceTests {
  /// A plan with a server, domain 2, that owns a controller; then changed.
  private func serverRefusal(_ change: (inout ImagePlan) -> Void) -> String? {
    refusal { plan in
      plan.addServer()
      change(&plan)
    }
  }

  @Test func `a server may own a device, at an address or the first of its kind`() throws {
    var plan = ImagePlan()
    plan.addServer()
    let content = plan.written()
    let image = try BootImage(content.span.bytes)
    #expect(image.count(.devices) == 1)
    #expect(image.device(0).address == PCIAddress(bus: 0, device: 0x11, function: 5))
    #expect(image.device(0).isAny == 0 && image.device(0).slot == 0)
    #expect(image.kind(ofRegion: 7) == .deviceMemory)
    let any: String? = serverRefusal {
      $0.devices[0] = DeviceRecord(domain: 2, kind: .ahci, address: nil, memory: 7, slot: 15)
    }
    #expect(any == nil)
  }

  @Test func `a device that breaks a rule is refused`() {
    let text = "boot image: device 0"
    #expect(serverRefusal { $0.devices[0].domain = 9 } == "\(text) names a domain that is not there")
    #expect(serverRefusal { $0.devices[0].memory = 9 } == "\(text) names a region that is not there")
    #expect(serverRefusal { $0.devices[0].kind = 3 } == "\(text) is of a kind that does not exist")
    #expect(serverRefusal { $0.devices[0].isAny = 2 } == "\(text) is neither any nor the one at an address")
    #expect(serverRefusal { $0.devices[0].slot = 16 } == "\(text) has an interrupt slot above 15")
    for domain in 0..<2 {
      #expect(
        serverRefusal { $0.devices[0].domain = UInt32(domain) }
          == "\(text) belongs to a domain with a vCPU, or one that controls others or shows the log")
    }
    #expect(
      serverRefusal { $0.interrupts.append(InterruptRecord(domain: 2, slot: 0, isISA: false, source: 20)) }
        == "\(text) has an interrupt slot that its domain uses already")
  }

  @Test func `a device shares memory with its own domain alone, where that looks for it`() {
    let text = "boot image: device 0 has no device memory where its domain looks for it"
    #expect(serverRefusal { $0.devices[0].memory = 0 } == text)
    #expect(serverRefusal { $0.mappings[8].isWritable = 0 } == text)
    #expect(serverRefusal { $0.mappings[8].address = AddressMap.serverState } == text)
    #expect(
      serverRefusal {
        $0.mappings.append(MappingRecord(domain: 1, region: 7, address: AddressMap.deviceMemory, isWritable: true))
      } == "boot image: mapping 9 gives one domain's device memory to another")
    for address in [AddressMap.deviceInformation, AddressMap.deviceRegisters, AddressMap.deviceMemory - 0x1000] {
      #expect(
        serverRefusal { $0.mappings[8].address = address }
          == "boot image: mapping 8 lies where a device's registers are")
    }
  }

  @Test func `no two domains own one device, and no domain two`() {
    let second = { (plan: inout ImagePlan, domain: UInt32, address: PCIAddress?) in
      plan.devices.append(DeviceRecord(domain: domain, kind: .ahci, address: address, memory: 7, slot: 1))
    }
    #expect(
      serverRefusal { second(&$0, 2, PCIAddress(bus: 1, device: 0, function: 0)) }
        == "boot image: device 1 is a second device of its domain")
    let another = { (plan: inout ImagePlan, address: PCIAddress?) in
      plan.addServer()
      plan.devices[1] = DeviceRecord(domain: 3, kind: .ahci, address: address, memory: 8, slot: 0)
    }
    #expect(
      serverRefusal { another(&$0, $0.devices[0].address) } == "boot image: device 1 belongs to another domain already")
    #expect(serverRefusal { another(&$0, PCIAddress(bus: 1, device: 0, function: 0)) } == nil)
    #expect(serverRefusal { another(&$0, nil) } == nil)
  }

  // MARK: - Devices of guests

  /// What is refused of an image whose first VMM has this device too.
  private func passedRefusal(_ change: @escaping (inout DeviceRecord) -> Void = { _ in }) -> String? {
    serverRefusal { plan in
      var record = DeviceRecord(
        passthrough: PCIAddress(bus: 0x66, device: 0, function: 0), domain: 0, number: 0)
      change(&record)
      plan.devices.append(record)
    }
  }

  @Test func `a VMM can have up to four devices for its guest, each by its address`() {
    #expect(passedRefusal() == nil)
    #expect(passedRefusal { $0.slot = 3 } == nil)
    #expect(passedRefusal { $0.slot = 4 } == "boot image: device 1 is a fifth device of its guest")
    #expect(passedRefusal { $0.isAny = 1 } == "boot image: device 1 is for a guest, and has no address")
    #expect(passedRefusal { $0.memory = 7 } == "boot image: device 1 is for a guest, and has memory of its own")
  }

  @Test func `VMs are numbered in the order of their domains, and their memory is known by its region`() throws {
    let content = ImagePlan().written()
    let image = try BootImage(content.span.bytes)
    let domains = 0..<image.count(.domains)
    let hosts = domains.filter { DomainTraits(rawValue: image.domain($0).traits).contains(.hasVirtualCPU) }
    #expect(!hosts.isEmpty)
    #expect(hosts.map { image.guest(ofDomain: $0) } == Array(hosts.indices))
    let mappings = (0..<image.count(.guestMappings)).map { image.guestMapping($0) }
    #expect(!mappings.isEmpty)
    for mapping in mappings { #expect(image.guest(ofRegion: Int(mapping.region)) == Int(mapping.domain)) }
    #expect(image.guest(ofRegion: image.count(.regions)) == nil)
  }

  @Test func `a domain without a guest has no device for one`() {
    #expect(passedRefusal { $0.domain = 1 } == "boot image: device 1 is for a guest, but its domain has none")
    #expect(passedRefusal { $0.domain = 2 } == "boot image: device 1 is for a guest, but its domain has none")
  }

  @Test func `a guest's device is nobody else's, and not the guest's twice`() {
    let second = { (change: @escaping (inout DeviceRecord) -> Void) in
      serverRefusal { plan in
        let first = DeviceRecord(passthrough: PCIAddress(bus: 0x66, device: 0, function: 0), domain: 0, number: 0)
        var other = DeviceRecord(passthrough: PCIAddress(bus: 0x67, device: 0, function: 0), domain: 0, number: 1)
        change(&other)
        plan.devices += [first, other]
      }
    }
    #expect(second { _ in } == nil)
    #expect(second { $0.slot = 0 } == "boot image: device 2 is a second device of its domain")
    #expect(second { $0.address = PCIAddress(bus: 0x66, device: 0, function: 0) } != nil)
    #expect(
      second { $0.address = PCIAddress(bus: 0, device: 0x11, function: 5) }
        == "boot image: device 2 belongs to another domain already")
  }
}

extension ImagePlan {
  /// Adds a server that owns a controller.
  fileprivate mutating func addServer() {
    let (domain, region) = (UInt32(domains.count), UInt32(regions.count))
    domains.append(
      DomainRecord(name: ShortName("sata0"), program: 0, core: 0, priority: 5, traits: .mayMove, onCrash: .restart))
    regions.append(RegionRecord(kind: .deviceMemory, size: 0x10_0000))
    mappings.append(
      MappingRecord(domain: domain, region: region, address: AddressMap.deviceMemory, isWritable: true))
    devices.append(
      DeviceRecord(
        domain: domain, kind: .ahci, address: PCIAddress(bus: 0, device: 0x11, function: 5), memory: region, slot: 0))
  }
}
