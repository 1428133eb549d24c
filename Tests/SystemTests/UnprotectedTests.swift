// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// A computer without an IOMMU whose description does without: root logged in on the two VMs that start.
private struct Unprotected {
  let system: TestMachine

  static let booted = Task { try await Unprotected() }

  /// For the end of the suite.
  @Sendable static func end() async { await (try? booted.value)?.system.end() }

  private init() async throws {
    let drive = try TestDisk("unprotected", partitions: 1)
    let computer = Computer(
      processors: 3, memory: "4G", console: .com1,
      devices: [
        "-netdev", "user,id=net0", "-device", "e1000e,netdev=net0,bus=pcie.0,addr=4.0,romfile=",
        "-netdev", "user,id=net1", "-device", "e1000e,netdev=net1,bus=pcie.0,addr=8.0,romfile=",
        "-device", "pci-testdev,bus=pcie.0,addr=9.0",
        "-drive", "file=\(drive.path),if=none,id=drive,format=raw",
        "-device", "ich9-ahci,id=sata,bus=pcie.0,addr=0x12.0", "-device", "ide-hd,drive=drive,bus=sata.0",
      ])
    system = try await computer.boot("Tests/SystemTests/Systems/unprotected.yaml")
    try await system.logInEverywhere(0...1)
  }
}

extension SystemTests {
  /// Devices that reach all memory, which the description allows. Each test leaves root logged in on both VMs.
  @Suite(.serialized, .ending(Unprotected.end))
  struct UnprotectedTests {
    @Test(arguments: [
      "warning: vm0: unprotected DMA: no IOMMU keeps 00:04.0 from reaching all memory",
      "warning: vm1: unprotected DMA: no IOMMU keeps 00:08.0 from reaching all memory",
      "warning: sata0: unprotected DMA: no IOMMU keeps 00:12.0 from reaching all memory",
      "8086:10d3 Ethernet card, UNPROTECTED: it reaches all memory",
    ])
    func `the console says at boot what nothing keeps to its memory`(sentence: String) async throws {
      #expect(try await Unprotected.booted.value.system.transcript.text.contains(sentence))
    }

    @Test func `a guest has its memory where the machine has it`() async throws {
      let system = try await Unprotected.booted.value.system
      let start = try #require(system.transcript.text.firstMatch(of: /vm0 +0 +256 MiB +0x([0-9a-f]+)/)?.output.1)
      let base = try #require(UInt64(start, radix: 16))
      let own = try await system.run("grep 'System RAM' /proc/iomem | tail -n1 | cut -d' ' -f1", on: 0)
      let range = own.split(separator: "-").compactMap { UInt64($0, radix: 16) }
      #expect(range == [base + 2 << 20, base + 256 << 20 - 1])
    }

    @Test func `a card leases an address and downloads, by messages`() async throws {
      let system = try await Unprotected.booted.value.system
      try await system.expectLease(0)
      #expect(try await system.run("grep -c 'PCI-MSI.*eth1' /proc/interrupts", on: 0) == "3")
      try await system.expectDownload(0)
    }

    @Test func `a card uses its line, also after its VM's reboot`() async throws {
      let system = try await Unprotected.booted.value.system
      try await system.expectLease(1)
      try await system.expectLine(1)
      system.select(1)
      system.enter("reboot")
      try await system.expect(.line("vm1 starts, for the 2nd time"), within: .seconds(120))
      try await system.logIn(1)
      try await system.expectLease(1)
    }

    @Test func `switch and disk find such a guest's memory too`() async throws {
      let system = try await Unprotected.booted.value.system
      for number in 0...1 { try await system.run("ip addr add 192.168.1.\(number + 1)/24 dev eth0", on: number) }
      for number in 0...1 { try await system.run("ip link set up dev eth0", on: number) }
      let ping = try await system.run("ping -c 3 -w 30 192.168.1.2 | grep received", on: 0)
      #expect(ping.contains("3 packets received, 0% packet loss"))
      let sums = try await system.run(
        """
        mkfs.ext2 -q /dev/vda1; mount /dev/vda1 /mnt; dd if=/dev/urandom of=/mnt/file bs=64k count=64 2>/dev/null; \
        for _ in 1 2; do sha256sum /mnt/file; umount /mnt; mount /dev/vda1 /mnt; done | uniq | wc -l; umount /mnt
        """, on: 0)
      #expect(sums == "1")
    }

    @Test func `a VM whose memory has no such place does not start, and the others do`() async throws {
      let system = try await Unprotected.booted.value.system
      let text = system.transcript.text
      #expect(text.contains("vm2: with a device behind no IOMMU it needs its 1800 MiB in one piece below 3 GiB"))
      let row = try await system.ask("@l", for: .line(#"\d[ *]+vm2 +(\w+) .*MiB"#))
      #expect(row.captures == [MachineState.off.rawValue])
    }
  }
}
