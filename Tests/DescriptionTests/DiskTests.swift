// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Foundation
import Testing

@testable import Description

private func share(
  _ disk: Int, _ part: DiskPart, serial: String, isReadOnly: Bool = false
) -> DiskShare {
  DiskShare(
    disk: disk, part: part, isReadOnly: isReadOnly, isOptional: false, queues: 1, rate: nil, serial: serial)
}

@Test func `disks and what VMs have of them are as described`() throws {
  let system = try Fixture.parse("accepted", "disks")
  let image = Fixture.folder.appending(path: "accepted").path + "/../files/image"

  #expect(
    system.disks == [
      Disk(name: "sata0", core: 3, source: .ahci(PCIAddress(bus: 0, device: 0x11, function: 5))),
      Disk(name: "any", core: 0, source: .ahci(nil, interrupt: 21)),
      Disk(name: "tools", core: 0, source: .image(path: image)),
    ])
  #expect(
    system.machines[0].disks == [
      share(0, .number(1), serial: "sata0"),
      DiskShare(
        disk: 0, part: .name("data"), isReadOnly: true, isOptional: true, queues: 4, rate: 20_000_000,
        serial: "my data"),
      share(1, .whole, serial: "any"), share(2, .whole, serial: "tools", isReadOnly: true),
    ])
  #expect(
    system.machines[1].disks == [
      share(0, .name("data"), serial: "sata0", isReadOnly: true), share(0, .uuid("1b2f4c1e-02"), serial: "sata0"),
      share(2, .number(1), serial: "tools", isReadOnly: true),
    ])
}

@Test func `the core of a disk's server is one that the computer must have`() throws {
  #expect(try Fixture.parse("accepted", "disks").requirements.cores == 4)
}

@Test(arguments: ["00:11.5", "0000:00:11.5", "ff:1f.7", "0001:66:00.0"])
func `a PCI address is read as lspci writes it`(text: String) throws {
  let address = try #require(PCIAddress(text: text))

  #expect(text == address.text || text == "0000:" + address.text)
}

@Test(arguments: ["", "0:11.5", "00:20.0", "00:11.8", "00:11", "00.11.5", "00:11.5 ", "10000:00:11.5"])
func `what is no PCI address is refused`(text: String) {
  #expect(PCIAddress(text: text) == nil)
}
