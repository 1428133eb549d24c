// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

extension SystemTests {
  /// Firmware that does not keep to the rules, and machines that lack what most have.
  @Suite(.serialized)
  struct OddFirmwareTests {
    private typealias Firmware = HandMadeFirmware

    /// No HPET, no ACPI timer, no MCFG; entries and sums that are wrong; ranges over each other and around the end.
    @Test func `damaged tables and a memory map with overlaps are told, and the VM runs`() async throws {
      var firmware = Firmware()
      firmware.memoryMap = [
        (0x10_0000, 0x1ff0_0000, 1), (0, 0xa_0000, 1), (0x8_0000, 0x2_0000, 2), (0x200_0000, 0x100_0000, 1),
        (0x1f00_0000, 0x400_0000, 2), (0x1800_0000, 0x800, 2), (.max - 0xfff, 0x2000, 1), (0x500_0000, 0, 1),
        (0x4000_0000, 0x1000, 7), (.max, .max, 2),
      ]
      firmware.tables = [
        (
          "APIC",
          Firmware.madt([
            Firmware.processor(0), [0], Firmware.ioapic, Firmware.processor(1), Firmware.ioapic,
            Firmware.x2processor(1), [2, 0, 0, 2, 0, 0, 0, 0, 0],
          ]) + [1, 200]
        ),
        ("MCFG", [1, 2, 3]),
      ]
      firmware.damaged = ["APIC"]
      let machine = try await firmware.boot("systems/minimal.yaml", name: "damaged")

      try await machine.expect(.line("ACPI table APIC has a wrong checksum; it is used all the same"))
      try await machine.expect(.line("ACPI table MCFG has an impossible length; it is not used"))
      try await machine.expect(.line("ACPI table APIC: 3 entries cannot be, and are left out"))
      try await machine.expect(.line("1 of 2 processors, AMD SVM"))
      try await machine.expect(.line("MHz, measured against the 8254"))
      try await machine.expect("tiny login:", within: .seconds(400))
      await machine.end()
    }

    @Test func `more processors than there is room for, and numbers that cannot be reached, stay idle`() async throws {
      var firmware = Firmware()
      let far = [Firmware.x2processor(300), Firmware.x2processor(255)]
      firmware.tables = [("APIC", Firmware.madt(far + (0..<70).map { Firmware.x2processor($0) } + [Firmware.ioapic]))]
      let machine = try await firmware.boot("systems/minimal.yaml", name: "many")

      try await machine.expect(
        .line("2 processors have numbers above 254, for which x2APIC is missing: they stay idle"))
      try await machine.expect(.line("there are 70 processors; those beyond the first 64 stay idle"))
      try await machine.expect("tiny login:", within: .seconds(400))
      await machine.end()
    }

    /// The DMAR does not offer that interrupts are remapped, nor does the IOMMU.
    @Test func `a device that firmware uses, or that can send any interrupt, is not given to a VM`() async throws {
      var firmware = Firmware()
      firmware.tables = [
        ("APIC", Firmware.madt([Firmware.processor(0), Firmware.processor(1), Firmware.ioapic])),
        // In the midst of what the map calls usable.
        ("DMAR", Firmware.dmar(reserved: 0x1400_0000...0x1400_ffff, for: 2)),
      ]
      let machine = try await firmware.boot(
        "Tests/SystemTests/Systems/reserved.yaml", name: "reserved",
        ["-device", "intel-iommu,intremap=off", "-device", "e1000e,addr=2.0", "-device", "e1000e,addr=3.0"])

      try await machine.expect(.line("vm0: the firmware itself uses 00:02.0, with memory at 0x14000000:"))
      try await machine.expect(.line("it cannot be given to a VM"))
      try await machine.expect(.line("vm1: 00:03.0 cannot be kept to its interrupts: the IOMMU does not remap them,"))
      try await machine.expect(.line("the IOMMU does not remap interrupts: VMs have no devices but by unprotected-dma"))
      try await machine.expect(.line("vm1 │ does not start: device 0 of this VM cannot be had"))
      await machine.end()
    }

    @Test func `without an HPET, ACPI's timer measures time`() async throws {
      let machine = try await TestMachine(
        command: try await Self.computer("systems/minimal.yaml", "hpet", machine: "q35,accel=tcg,hpet=off") + [
          "-serial", "null", "-serial", "unix:\(TestMachine.socket),server=on,wait=on",
        ])
      try await machine.expect(.line("MHz, measured against ACPI's timer"))
      try await machine.expect("tiny login:", within: .seconds(400))
      await machine.end()
    }

    @Test func `VMs on the two threads of one core are told, and where else there is room`() async throws {
      let machine = try await TestMachine(
        command: try await Self.computer(
          "Tests/SystemTests/Systems/siblings.yaml", "siblings", processors: "4,cores=2,threads=2")
          + ["-serial", "null", "-serial", "unix:\(TestMachine.socket),server=on,wait=on"])
      try await machine.expect(.line("of 4 processors, threads of 2 physical cores"))
      try await machine.expect(.line("vm0 on core 1 and vm1 on core 2 share one physical core"))
      try await machine.expect(.line("core 0 is on a physical core that no VM uses"))
      await machine.end()
    }

    @Test func `a console at a port without a name is typed at`() async throws {
      let machine = try await TestMachine.boot("Tests/SystemTests/Systems/other-port.yaml")
      // The kernel's own words are there too, from when it knows the port.
      try await machine.expect(.line("boot report of other-port"))
      try await machine.logIn(0, within: .seconds(400))
      try await machine.ask("@q", for: "only the VM with the keyboard is shown")
      #expect(try await machine.run("echo typed", on: 0) == "typed")
      await machine.end()
    }

    @Test func `an early failure is on COM1, COM2 and the screen`() async throws {
      let base = "\(Repository.root)/.build/early"
      for name in ["com1", "com2", "screen"] { try? FileManager.default.removeItem(atPath: "\(base).\(name)") }
      let ports = ["com1", "com2"].flatMap { ["-serial", "file:\(base).\($0)"] }
      let command = try await Self.computer("systems/minimal.yaml", "early", processor: "EPYC,-svm")
      // What answers is the emulator's own console, which shows the screen's memory.
      let machine = try await TestMachine(
        command: command + ports + ["-vga", "std", "-monitor", "unix:\(TestMachine.socket),server=on,wait=on"])
      let refusal = "cannot start: this processor has no AMD SVM"
      let deadline = ContinuousClock.now + .seconds(120)
      var screen = ""
      while !screen.contains(refusal), .now < deadline {
        machine.enter("pmemsave 0xb8000 4000 \"\(base).screen\"")
        try await machine.expect("(qemu)")
        try await Task.sleep(for: .milliseconds(200))
        let bytes = FileManager.default.contents(atPath: "\(base).screen").map { Array($0) } ?? []
        screen = String(decoding: stride(from: 0, to: bytes.count, by: 2).map { bytes[$0] }, as: UTF8.self)
      }
      #expect(screen.contains(refusal))
      for port in ["com1", "com2"] {
        #expect(try String(contentsOfFile: "\(base).\(port)", encoding: .utf8).contains(refusal))
      }
      await machine.end()
    }

    @Test func `after a start by UEFI it is said that there is no screen for text`() async throws {
      let stick = try await Medium("usb", in: "media/odd")
      let machine = try await Medium.boot(
        Medium.uefi + ["-drive", "if=none,id=stick,format=raw,readonly=on,file=\(stick.path)", "-device", "qemu-xhci"]
          + ["-device", "usb-storage,drive=stick,bootindex=0"])
      try await machine.expect(
        "UEFI leaves no text screen: from here on look at the serial port.", within: .seconds(400))
      try await machine.expect("UEFI leaves no text screen: this is on serial ports alone", within: .seconds(400))
      await machine.end()
    }

    /// The command for a computer that boots `description` from its own firmware, without serial ports.
    private static func computer(
      _ description: String, _ name: String, machine: String = "q35,accel=tcg", processor: String = "EPYC,+svm,+npt",
      processors: String = "2"
    ) async throws -> [String] {
      let image = "\(Repository.root)/.build/odd-\(name).image"
      try await Tool.run([Repository.roost, "build", "\(Repository.root)/\(description)", "-o", image])
      return [
        "qemu-system-x86_64", "-machine", machine, "-cpu", processor, "-smp", processors, "-m", "512",
        "-display", "none", "-nodefaults", "-no-reboot", "-kernel", Repository.image("KernelImage"), "-initrd", image,
      ]
    }
  }
}
