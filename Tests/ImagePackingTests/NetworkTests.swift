// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Firmware
import Testing

@testable import Description
@testable import ImagePacking

private func card(on network: Int, _ address: UInt64) -> NetworkCard {
  NetworkCard(
    network: network, address: MACAddress(rawValue: 0x0200_0000_0000 + address), mtu: 1500, hasOffload: true,
    vlans: .access(1), refusesForeignSource: false, rate: nil)
}

/// Three VMs and two switches: vm0 has two cards on `lan` and one on `uplink`, vm2 one on `lan`, vm1 none.
private func twoSwitches() -> System {
  var machines = [machine("vm0"), machine("vm1"), machine("vm2", memory: 5 * .GiB)]
  machines[0].cards = [card(on: 0, 1), card(on: 1, 2), card(on: 0, 3)]
  machines[2].cards = [card(on: 0, 4)]
  var system = system(machines)
  system.switches = [
    VirtualSwitch(name: "lan", core: 2, ageing: 300), VirtualSwitch(name: "uplink", core: 0, ageing: 10),
  ]
  return system
}

@Suite struct NetworkTests {
  @Test func `a switch is a domain after the VMMs`() throws {
    let image = try pack(twoSwitches())
    let domains = image.records(.domains, size: 40)

    #expect(domains.map { text($0.prefix(24)) } == ["console", "vm0", "vm1", "vm2", "lan", "uplink"])
    for (domain, core) in [(domains[4], 2), (domains[5], 0)] {
      #expect(image.files[number(domain, 24, as: UInt32.self)].name == "switch")
      #expect(image.files[number(domain, 28, as: UInt32.self)].name == "switch.symbols")
      #expect(number(domain, 32, as: UInt16.self) == core)
      #expect(domain[34] == 5)  // priority
      #expect(domain[35] == 0b1000)  // traits
      #expect(domain[36] == 1)  // restarted on a crash
    }
    #expect(image.mappings(of: 0).contains { $0.kind == .status && $0.size == 6 * 4096 })
  }

  @Test func `a switch reaches its VMs' memory once, a page for each port, and its own`() throws {
    let image = try pack(twoSwitches())

    #expect(
      image.mappings(of: 4).map(\.description) == [
        "shared 4096 at 0x14000000 rw", "workspace 1048576 at 0x40000000 rw",
        "guestMemory 67108864 at 0x10000000000 rw", "guestMemory 3221225472 at 0x30000000000 rw",
        "guestMemory 2147483648 at 0x30100000000 rw",
        "shared 4096 at 0x20000000 rw", "shared 4096 at 0x20100000 rw", "shared 4096 at 0x20200000 rw",
        "file switch.0 12288 at 0x10000000",
      ])
    #expect(
      image.mappings(of: 5).map(\.description) == [
        "shared 4096 at 0x14000000 rw", "workspace 1048576 at 0x40000000 rw",
        "guestMemory 67108864 at 0x10000000000 rw", "shared 4096 at 0x20000000 rw",
        "file switch.1 12288 at 0x10000000",
      ])
    // The same memory as the VMM's.
    let own = image.mappings(of: 1).filter { $0.kind == .guestMemory }.map(\.region)
    #expect(own == image.mappings(of: 5).filter { $0.kind == .guestMemory }.map(\.region))
  }

  @Test func `each card has a page and a channel between its VMM and its switch`() throws {
    let image = try pack(twoSwitches())
    func pages(_ domain: Int) -> [UInt64: Int] {
      let pages = image.mappings(of: domain).filter { $0.kind == .shared && $0.size == DeviceLink.size }
      return Dictionary(uniqueKeysWithValues: pages.map { ($0.address, $0.region) })
    }
    func place(_ slot: UInt64) -> UInt64 { AddressMap.channels + slot * AddressMap.channelStride }

    // By VMM: domain and slot; by switch: domain and port.
    let cards: [(UInt32, UInt64, UInt32, UInt64)] = [(1, 1, 4, 0), (1, 3, 4, 1), (3, 1, 4, 2), (1, 2, 5, 0)]
    for (monitor, slot, server, port) in cards {
      #expect(pages(Int(monitor))[place(slot)] != nil)
      #expect(pages(Int(monitor))[place(slot)] == pages(Int(server))[place(port)])
    }
    #expect(pages(2).isEmpty)
    let channels: [[UInt8]] = cards.map { monitor, slot, server, port in
      le(server) + le(monitor) + le(UInt16(port)) + le(UInt16(slot))
    }
    #expect(Array(image.records(.channels, size: 12).dropFirst(3)) == channels)
  }

  @Test func `the console reads what each switch counts`() throws {
    let image = try pack(twoSwitches())
    let counters = image.mappings(of: 0).filter { $0.address >> 24 == AddressMap.switchCounters >> 24 }

    #expect(counters.map(\.description) == ["shared 4096 at 0x14000000", "shared 4096 at 0x14001000"])
    #expect(counters.map(\.region) == [4, 5].compactMap { image.mappings(of: $0).first?.region })
    let configuration = try #require(image.contents("console.configuration"))
    #expect(number(configuration, 12, as: UInt32.self) == 2)
  }

  @Test func `the console finds a switch's domain by its number`() {
    var configuration = ConsoleConfiguration()
    configuration.count = 3

    #expect(configuration.domain(ofSwitch: 0) == 4)
    #expect(configuration.domain(ofSwitch: 1) == 5)
  }

  @Test func `a VMM is told of its cards`() throws {
    var system = twoSwitches()
    system.machines[0].cards[1].mtu = 9000
    system.machines[0].cards[1].hasOffload = false
    let configuration = try #require(try pack(system).contents("configuration.0"))

    #expect(number(configuration, 64, as: UInt32.self) == 3)
    let devices = (0..<4).map { Array(configuration[(72 + $0 * 56)...].prefix(24)) }
    #expect(devices[0] == device(kind: 1, slot: 1, address: 0x0200_0000_0001, mtu: 1500, hasNoOffload: 0))
    #expect(devices[1] == device(kind: 1, slot: 2, address: 0x0200_0000_0002, mtu: 9000, hasNoOffload: 1))
    #expect(devices[2] == device(kind: 1, slot: 3, address: 0x0200_0000_0003, mtu: 1500, hasNoOffload: 0))
    #expect(devices[3] == device(kind: 0, slot: 0, address: 0, mtu: 1500, hasNoOffload: 0))
  }

  private func device(kind: UInt32, slot: UInt32, address: UInt64, mtu: UInt32, hasNoOffload: UInt32) -> [UInt8] {
    le(kind) + le(slot) + le(address) + le(mtu) + le(hasNoOffload)
  }

  @Test func `a switch is told of its ports`() throws {
    var system = twoSwitches()
    system.machines[2].cards[0].rate = 100_000_000
    system.machines[2].cards[0].refusesForeignSource = true
    system.machines[2].cards[0].vlans = .access(4094)
    let image = try pack(system)
    let configuration = try #require(image.contents("switch.0"))

    #expect(configuration.count == MemoryLayout<SwitchConfiguration>.size)
    #expect(number(configuration, 0, as: UInt32.self) == 1)
    #expect(number(configuration, 4, as: UInt32.self) == 3)
    #expect(text(configuration[8..<32]) == "lan")
    #expect(number(configuration, 32, as: UInt32.self) == 300)
    let ports = (0..<4).map { Array(configuration[(40 + $0 * 584)...].prefix(584)) }
    #expect(ports.map { text($0[0..<24]) } == ["vm0", "vm0", "vm2", ""])
    #expect(ports.map { number($0, 24, as: UInt32.self) } == [0, 0, 2, 0])  // machine
    #expect(ports.map { number($0, 28, as: UInt32.self) } == [0, 2, 0, 0])  // card
    #expect(ports.map { number($0, 32, as: UInt64.self) } == [64 << 20, 64 << 20, 3 << 30, 0])
    #expect(ports.map { number($0, 40, as: UInt64.self) } == [0, 0, 2 << 30, 0])
    #expect(ports.map { number($0, 48, as: UInt64.self) & 0xff } == [1, 3, 4, 0])  // address
    #expect(ports.map { number($0, 56, as: UInt64.self) } == [0, 0, 100_000_000, 0])  // rate
    #expect(ports.map { number($0, 64, as: UInt16.self) } == [0, 0, 0, 0])  // access
    #expect(ports.map { number($0, 66, as: UInt16.self) } == [1, 1, 4094, 1])  // VLAN
    #expect(ports.map { number($0, 68, as: UInt32.self) } == [0, 0, 1, 0])  // anti-spoofing
    #expect(number(try #require(image.contents("switch.1")), 4, as: UInt32.self) == 1)
    #expect(number(try #require(image.contents("switch.1")), 32, as: UInt32.self) == 10)
  }

  @Test func `a trunk has its VLANs, and that of frames without a tag`() throws {
    var system = twoSwitches()
    system.machines[0].cards[0].vlans = .trunk([1...1, 62...65, 4094...4094], native: 100)
    system.machines[0].cards[2].vlans = .trunk([10...10], native: nil)
    let configuration = try #require(try pack(system).contents("switch.0"))
    let ports = (0..<2).map { Array(configuration[(40 + $0 * 584)...].prefix(584)) }

    #expect(ports.map { number($0, 64, as: UInt16.self) } == [1, 1])
    #expect(ports.map { number($0, 66, as: UInt16.self) } == [100, 0])
    let vlans = ports.map { port in
      (0..<4096).filter { number(port, 72 + $0 / 64 * 8, as: UInt64.self) >> ($0 % 64) & 1 == 1 }
    }
    #expect(vlans == [[1, 62, 63, 64, 65, 100, 4094], [10]])
  }

  @Test func `a switch that no card is on is there all the same`() throws {
    var system = twoSwitches()
    for index in system.machines.indices { system.machines[index].cards = [] }
    let image = try pack(system)

    #expect(image.count(.domains) == 6)
    #expect(!image.mappings(of: 4).contains { $0.kind == .guestMemory })
    #expect(throws: Never.self) { _ = try BootImage(image.bytes.span.bytes) }
  }

  @Test func `a system without switches carries no switch's program`() throws {
    let image = try pack(system([machine("vm0")]))

    #expect(!image.files.map(\.name).contains { $0.hasPrefix("switch") })
  }

  @Test func `a switch's program that is no ELF file is refused by name`() {
    let elf = MadeELF().bytes

    let error = #expect(throws: PackingError.self) {
      try ImagePacker.pack(
        twoSwitches(), programs: Programs(kernel: elf, vmm: elf, console: elf),
        guests: (0..<3).map { _ in GuestBoot(kernel: [1]) })
    }

    #expect(error == .badProgram("switch", .notELF))
  }

  @Test func `the kernel's reader accepts the largest network`() throws {
    var machines = (0..<Limits.machines).map { machine("vm\($0)", memory: 6 * .GiB) }
    for index in machines.indices {
      machines[index].cards = (0..<Limits.cards).map { card(on: (index * 4 + $0) / 16, UInt64(index * 4 + $0)) }
    }
    var largest = system(machines)
    largest.switches = (0..<Limits.switches).map { VirtualSwitch(name: "s\($0)", core: 0, ageing: 300) }

    let packed = try pack(largest)
    let image = try BootImage(packed.bytes.span.bytes)

    #expect(image.count(.domains) == 1 + Limits.machines + Limits.switches)
    #expect(image.count(.channels) == Limits.machines * (1 + Limits.cards))
    #expect(try pack(largest).bytes == packed.bytes)
  }
}
