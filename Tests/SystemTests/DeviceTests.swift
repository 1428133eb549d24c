// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

/// A computer with devices of several kinds, booted once: root logged in on the two VMs whose devices can be had.
private struct DevicesOfAllKinds {
  let system: TestMachine
  private let monitor: Monitor
  /// What is on the drive, the stick and the SATA drive at first.
  let content: [UInt8]
  /// The file behind the NVMe drive.
  let drive: String
  private let folder: TemporaryFolder

  static let booted = Task { try await DevicesOfAllKinds() }

  /// For the end of the suite.
  @Sendable static func end() async { await (try? booted.value)?.system.end() }

  private init() async throws {
    let folder = try TemporaryFolder()
    let content = (0..<4 << 20).map { _ in UInt8.random(in: .min ... .max) }
    let files = try ["nvme", "stick", "sata", "served"].map { try folder.write(content, to: $0) }
    self.folder = folder
    self.content = content
    drive = files[0]
    var computer = Computer(processors: 3, memory: "2G", console: .com1)
    computer.devices = ["-device", "intel-iommu,intremap=on"] + Self.drives(files) + Self.functions
    (system, monitor) = try await computer.bootWithMonitor("Tests/SystemTests/Systems/devices.yaml")
    try await system.logInEverywhere(0...1)
  }

  private static func drives(_ files: [String]) -> [String] {
    files.enumerated().flatMap { ["-drive", "file=\($1),if=none,id=drive\($0),format=raw"] }
  }

  private static let functions = [
    // One device of two functions that nothing keeps apart.
    "nvme,drive=drive0,serial=roost,bus=pcie.0,addr=5.0,multifunction=on",
    "e1000e,netdev=net,bus=pcie.0,addr=5.1",
    // A second root's port, and what is behind it.
    "pxb-pcie,id=root,bus_nr=0x65,bus=pcie.0", "pcie-root-port,id=below,bus=root,addr=0.0,chassis=1,slot=1",
    "qemu-xhci,id=usb,bus=below,addr=0.0", "usb-storage,bus=usb.0,drive=drive1",
    "pci-testdev,bus=pcie.0,addr=7.0,multifunction=on",
    "e1000e,bus=pcie.0,addr=7.1", "e1000e,bus=pcie.0,addr=7.2",
    "pci-testdev,bus=pcie.0,addr=0x11.0,multifunction=on",
    "ich9-ahci,id=served,bus=pcie.0,addr=0x11.5", "ide-hd,drive=drive3,bus=served.0",
    "e1000e,bus=pcie.0,addr=0x11.6",
    "ich9-ahci,id=sata,bus=pcie.0,addr=0x12.0,multifunction=on", "pci-testdev,bus=pcie.0,addr=0x12.1",
    "ide-hd,drive=drive2,bus=sata.0",
  ].reduce(["-netdev", "user,id=net"]) { $0 + ["-device", $1] }

  /// The wall around vm0.
  var wall: DMAWall { DMAWall(system: system, monitor: monitor) }

  /// The digest of what is on each drive at first.
  func digest() async throws -> String { try await Self.digest(of: folder.write(content, to: "content")) }

  static func digest(of file: String) async throws -> String {
    String(try await Tool.run(["sha256sum", file]).prefix(64))
  }
}

extension SystemTests {
  /// VMs with devices that are no network cards, and VMs whose devices cannot be had.
  @Suite(.serialized, .ending(DevicesOfAllKinds.end))
  struct DeviceTests {
    @Test func `an NVMe drive is read and written, by messages of its table`() async throws {
      let booted = try await DevicesOfAllKinds.booted.value
      let system = booted.system
      let read = try await system.run("sha256sum /dev/nvme0n1 | cut -d' ' -f1", on: 0)
      #expect(try await booted.digest() == read)

      let made = try await system.run(
        """
        dd if=/dev/urandom of=/tmp/new bs=64k count=64 2>/dev/null; sha256sum /tmp/new | cut -d' ' -f1; \
        dd if=/tmp/new of=/dev/nvme0n1 bs=64k oflag=direct conv=fsync 2>/dev/null; rm /tmp/new
        """, on: 0)
      let again = try await system.run("dd if=/dev/nvme0n1 bs=64k iflag=direct 2>/dev/null | sha256sum", on: 0)
      #expect(again.prefix(64) == made)
      #expect(try await DevicesOfAllKinds.digest(of: booted.drive) == made)
      #expect(try await system.run("grep -c 'PCI-MSI.*nvme0q[01]' /proc/interrupts", on: 0) == "2")
    }

    @Test func `the network card beside it on the same device works as well`() async throws {
      let system = try await DevicesOfAllKinds.booted.value.system
      let lease = try await system.run("ip link set up dev eth0; udhcpc -n -t 10 -i eth0 2>&1 | tail -1", on: 0)
      #expect(lease.contains("lease of 10.0.2.15 obtained from 10.0.2.2"))
    }

    @Test func `a card that is told to write what is not its VM's changes nothing, and is reported`() async throws {
      let booted = try await DevicesOfAllKinds.booted.value
      try await booted.wall.expectHolds(on: 0)
      let address = String(DMAWall.outside, radix: 16)
      try await booted.system.expectLog(
        [.line("vm0: DMA of 00:05.1 stopped, a write at 0x\(address): that is not its memory")])
      try await booted.system.ask("@r 0", for: "vm0 starts")
      try await booted.system.logIn(0)
    }

    @Test func `a SATA controller brings its drive`() async throws {
      let booted = try await DevicesOfAllKinds.booted.value
      let read = try await booted.system.run("sha256sum /dev/sda | cut -d' ' -f1", on: 0)
      #expect(try await booted.digest() == read)
    }

    @Test func `a USB controller brings its stick by its line, also after its VM's reboot`() async throws {
      let booted = try await DevicesOfAllKinds.booted.value
      let system = booted.system
      for start in 1...2 {
        // Sticks are found when they like.
        let found = "until [ -e /dev/sda ]; do sleep 0.2; done; cat /sys/bus/usb/devices/*/product | grep -c HARDDRIVE"
        #expect(try await system.run(found, on: 1) == "1")
        let read = try await system.run("sha256sum /dev/sda | cut -d' ' -f1", on: 1)
        #expect(try await booted.digest() == read)
        #expect(try await system.run("grep -c 'IO-APIC.*xhci' /proc/interrupts", on: 1) == "1")
        guard start == 1 else { break }
        system.select(1)
        system.enter("reboot")
        try await system.expect(.line("vm1 starts, for the 2nd time"), within: .seconds(120))
        try await system.logIn(1)
      }
    }

    /// What the console says at boot of what cannot be had, and of what is beside what can be.
    private static let refusals = [
      "vm0: 00:12.1 cannot be told from 00:12.0, and is switched off",
      "absent: there is no PCI device at 00:1e.0",
      "bridge: 65:00.0 is a bridge, which cannot be given to a VM",
      "half: the IOMMU cannot tell 00:07.1 apart from these; give the VM all of them:",
      "half:   00:07.2 8086:10d3 class 020000, which rest has",
      "rest:   00:07.1 8086:10d3 class 020000, which half has",
      "beside: the IOMMU cannot tell 00:11.6 apart from these; give the VM all of them:",
      "beside:   00:11.5 8086:2922 class 010601, which sata0 has",
      "sata1: this machine has no AHCI controller that is free",
      "sata1:   00:11.5 is what sata0 has", "sata1:   00:12.0 is what vm0 has",
    ]

    @Test(arguments: refusals)
    func `what cannot be had is said, with the names of both`(sentence: String) async throws {
      let system = try await DevicesOfAllKinds.booted.value.system
      #expect(system.transcript.text.contains(sentence))
    }

    @Test(arguments: ["absent", "bridge", "half", "rest", "beside"])
    func `a VM without its device does not start`(name: String) async throws {
      let system = try await DevicesOfAllKinds.booted.value.system
      let row = try await system.ask("@l", for: .line(#"\d[ *]+\#(name) +(\w+) .*MiB"#))
      #expect(row.captures == [MachineState.off.rawValue])
    }
  }
}
