// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Firmware
import Testing

@testable import Description
@testable import ImagePacking

private func share(_ disk: Int, _ part: DiskPart, isOptional: Bool = false, serial: String = "data") -> DiskShare {
  DiskShare(
    disk: disk, part: part, isReadOnly: disk == 1, isOptional: isOptional, queues: 2, rate: 5000, serial: serial)
}

/// Two VMs, a drive that both have a part of, and an image file that vm1 has.
private func twoDisks() -> System {
  var machines = [machine("vm0"), machine("vm1", memory: 5 * .GiB)]
  machines[0].disks = [share(0, .number(3))]
  machines[1].disks = [share(1, .whole), share(0, .name("dätä"), isOptional: true)]
  var system = system(machines)
  let address = PCIAddress(bus: 0, device: 0x11, function: 5)
  system.disks = [
    Disk(name: "sata0", core: 2, source: .ahci(address, interrupt: 21)),
    Disk(name: "tools", core: 0, source: .image(path: "x")),
  ]
  return system
}

@Suite struct DiskTests {
  private func packed() throws -> ReadImage {
    try pack(twoDisks(), diskImages: [[UInt8](repeating: 7, count: 1024)])
  }

  @Test func `a disk's server is a domain after the VMMs`() throws {
    let domains = try packed().records(.domains, size: 40)

    #expect(domains.map { text($0.prefix(24)) } == ["console", "vm0", "vm1", "sata0", "tools"])
    #expect(number(domains[3], 32, as: UInt16.self) == 2)
    #expect(domains[3][34] == 5)  // priority
    #expect(domains[3][36] == 1)  // restarted on a crash
  }

  @Test func `a disk's server reaches its VMs' memory, its device's and its own`() throws {
    let image = try packed()

    #expect(
      image.mappings(of: 3).map(\.description) == [
        "shared 4096 at 0x14800000 rw", "shared 262144 at 0x17000000 rw", "workspace 524288 at 0x40000000 rw",
        "guestMemory 67108864 at 0x10000000000 rw", "guestMemory 3221225472 at 0x20000000000 rw",
        "guestMemory 2147483648 at 0x20100000000 rw",
        "shared 4096 at 0x20000000 rw", "shared 4096 at 0x20100000 rw",
        "deviceMemory 1048576 at 0x16000000 rw", "file disk.0 4096 at 0x10000000",
      ])
    #expect(image.mappings(of: 4).map(\.description).contains("file disk-image.0 4096 at 0x3000000000"))
    #expect(!image.mappings(of: 4).contains { $0.kind == .deviceMemory })
  }

  @Test func `only a drive has a device`() throws {
    let devices = try packed().records(.devices, size: 28)

    #expect(devices.count == 1)
    #expect(number(devices[0], 0, as: UInt32.self) == 3)
    #expect(number(devices[0], 8, as: UInt32.self) == 0x8d)
    #expect(number(devices[0], 12, as: UInt32.self) == 0)
    #expect(number(devices[0], 24, as: UInt32.self) == 21)
  }

  @Test(arguments: [false, true])
  func `devices of servers and guests do without an IOMMU where the computer's description says so`(isAllowed: Bool)
    throws
  {
    var system = twoDisks()
    system.allowsUnprotectedDMA = isAllowed
    system.machines[1].devices = [ComputerDevice(address: PCIAddress(bus: 0x66, device: 0, function: 0))]
    let devices = try pack(system, diskImages: [[UInt8](repeating: 7, count: 1024)]).records(.devices, size: 28)

    #expect(devices.map { number($0, 0, as: UInt32.self) } == [2, 3])
    #expect(devices.map { number($0, 22, as: UInt16.self) } == [isAllowed ? 1 : 0, isAllowed ? 1 : 0])
  }

  @Test func `the server is told what each VM has`() throws {
    let image = try packed()
    let file = try #require(image.contents("disk.0"))
    let first = Array(file[48..<48 + 216])
    let second = Array(file[48 + 216..<48 + 2 * 216])

    #expect(number(file, 4, as: UInt32.self) == 2)
    #expect(text(first.prefix(24)) == "vm0")
    #expect(number(first, 56, as: UInt32.self) == DiskSelection.number.rawValue)
    #expect(number(first, 60, as: UInt32.self) == 3)
    #expect(number(second, 28, as: UInt32.self) == 1)
    #expect(number(second, 56, as: UInt32.self) == DiskSelection.name.rawValue)
    #expect(number(second, 72, as: UInt32.self) == 1)
    #expect(String(decoding: second[104..<110], as: UTF8.self) == "dätä")
    #expect(text(first[80..<104]) == "data")
  }

  @Test func `the kernel's reader accepts it`() throws {
    let bytes = try packed().bytes

    #expect(throws: Never.self) { _ = try BootImage(bytes.span.bytes) }
  }
}
