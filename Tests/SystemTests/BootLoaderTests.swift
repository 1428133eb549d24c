// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

extension SystemTests {
  /// What `roost build` makes for real computers, started as they would.
  @Suite(.serialized)
  struct BootLoaderTests {
    @Test func `one disc boots the reference system with a BIOS and with UEFI`() async throws {
      let disc = try await Medium("iso", of: "systems/supermicro.yaml", in: "media/supermicro")
      let drive = try TestDisk("disc", partitions: 3)
      for firmware in [[], Medium.uefi] {
        let machine = try await Medium.boot(
          firmware + disc.asDisc + Medium.supermicro(drive), processors: 3, memory: "8G")
        try await machine.expect("Roost: loading supermicro", within: .seconds(400))
        try await machine.expect(.line("boot report of supermicro"), within: .seconds(400))
        try await machine.logInEverywhere(0..<4)
        #expect(try await machine.run("hostname; ls /dev/vda1 2>&1 | tail -1", on: 2) == "vm2\n/dev/vda1")
        try await machine.expectLease(0)
        await machine.end()
      }
    }

    @Test func `a stick boots with a BIOS and with UEFI`() async throws {
      let stick = try await Medium("usb")
      for firmware in [[], Medium.uefi] {
        let devices = [
          "-device", "qemu-xhci", "-drive", "if=none,id=stick,format=raw,readonly=on,file=\(stick.path)",
          "-device", "usb-storage,drive=stick,bootindex=0",
        ]
        try await Medium.logIn(try await Medium.boot(firmware + devices))
      }
    }

    @Test func `the system on a stick is replaced by copying one small file`() async throws {
      let stick = try await Medium("usb", in: "media/replaced")
      let image = stick.path + ".other"
      try await Tool.run([
        Repository.roost, "build", try Medium.renamed(in: stick), "--format", "system", "-o", image,
        "--components", Medium.components,
      ])
      let size = try #require(FileManager.default.attributesOfItem(atPath: image)[.size] as? Int)
      #expect(size < 256 << 10)
      try await Tool.run(["mcopy", "-o", "-i", stick.path + "@@1M", image, "::roost/system"])

      let machine = try await Medium.boot(["-drive", "format=raw,readonly=on,if=virtio,file=\(stick.path)"])
      try await machine.expect("other login:", within: .seconds(400))
      await machine.end()
    }

    @Test(arguments: ["boot.ipxe", "grub.pxe"])
    func `a network card boots from a TFTP server, by iPXE or straight into GRUB`(file: String) async throws {
      let folder = try await Medium("pxe")
      let machine = try await Medium.boot([
        "-netdev", "user,id=net,tftp=\(folder.path),bootfile=\(file)",
        "-device", "virtio-net-pci,netdev=net,bootindex=0",
      ])
      try await Medium.logIn(machine)
      #expect(machine.transcript.text.contains("PCI: firmware left masters of the bus"), "the card among them")
    }

    @Test func `a network card boots by UEFI`() async throws {
      let folder = try await Medium("pxe")
      let machine = try await Medium.boot(
        Medium.uefi + [
          "-netdev", "user,id=net,tftp=\(folder.path),bootfile=grub.efi",
          "-device", "virtio-net-pci,netdev=net,bootindex=0,romfile=",
        ])
      try await Medium.logIn(machine)
    }

    @Test(arguments: ["iso", "usb", "pxe", "kernel"])
    func `the same input gives the same bytes, in another folder and later`(format: String) async throws {
      let first = try await Medium(format, in: "media/first")
      // File systems and formats of archives count in seconds, FAT in two.
      try await Task.sleep(for: .seconds(2.1))
      let second = try await Medium(format, in: "media/second")

      #expect(try await Self.sums(first) == Self.sums(second))
    }

    /// The SHA-256 of every file, with its name in the medium.
    private static func sums(_ medium: Medium) async throws -> String {
      let command = "cd \"$0\"/.. && find \"$(basename \"$0\")\" -type f | LC_ALL=C sort | xargs sha256sum"
      return try await Tool.run(["sh", "-c", command, medium.path])
    }
  }
}
