// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Description
import Testing

@testable import Survey

struct SurveyTests {
  private func line(_ address: String, _ machine: SavedMachine) throws -> InterruptLine {
    let survey = MachineSurvey(machine.files)
    return survey.line(of: try #require(survey.bus.functions.first { $0.text == address }))
  }

  private func findings(_ subject: String, _ machine: SavedMachine) -> [String] {
    MachineSurvey(machine.files).findings.filter { $0.subject == subject }.map { "\($0.grade.rawValue): \($0.text)" }
  }

  @Test func `a small AMD board is fit`() {
    let machine = SavedMachine.amd

    #expect(MachineSurvey(machine.files).isFit)
    #expect(findings("machine", machine) == ["fit: Example Boards Small Board (rev 2), firmware 1.20"])
    #expect(findings("processor", machine) == ["fit: AMD Ryzen Embedded V1605B: AMD SVM with nested paging"])
    #expect(findings("cores", machine) == ["fit: 8 on 4 cores"])
    #expect(findings("memory", machine) == ["fit: 7840 MiB"])
    #expect(findings("interrupts", machine) == ["fit: 2 I/O APICs, with lines from 0, 24"])
    #expect(findings("IOMMU", machine) == ["fit: AMD-Vi, 1 unit"])
    #expect(findings("PCI", machine) == ["fit: 1 PCI root, 8 functions"])
    #expect(findings("network", machine) == ["fit: 02:00.0 (8086:1533), alone in its group, GSI 30"])
    #expect(findings("serial", machine) == ["fit: COM1; the console is com1: Linux has its console there"])
  }

  @Test func `the reference machine is fit`() {
    let machine = SavedMachine.supermicro

    #expect(MachineSurvey(machine.files).isFit)
    #expect(
      findings("processor", machine) == ["fit: Intel(R) Xeon(R) D-2146NT CPU @ 2.30GHz: Intel VMX with EPT"])
    #expect(findings("interrupts", machine) == ["fit: 5 I/O APICs, with lines from 0, 24, 32, 40, 48"])
    #expect(findings("IOMMU", machine) == ["fit: Intel VT-d, 4 units"])
    #expect(findings("remapping", machine) == ["fit: interrupts of devices are remapped"])
    #expect(findings("groups", machine) == ["fit: 12"])
    #expect(findings("PCI", machine) == ["fit: 4 PCI roots, 13 functions"])
    #expect(
      findings("disks", machine) == [
        "fit: SATA, AHCI: 00:11.5 (8086:a1d2), in a group with 00:11.0",
        "fit: SATA, AHCI: 00:17.0 (8086:a182), alone in its group, GSI 16",
        "note: NVMe, for one VM as a device: 17:00.0 (144d:a808), alone in its group, GSI 32",
      ])
    #expect(
      findings("serial", machine) == ["fit: COM1, COM2; the console is com2: Linux has its console there"])
  }

  // MARK: - Speculation

  @Test func `what the boot report will say of speculation is said before`() {
    #expect(
      findings("speculation", .supermicro) == [
        "fit: Spectre v1: indices of system calls are masked",
        "fit: Spectre v2: no indirect branches, IBPB at changes, returns filled at exits",
        "fit: Retbleed: the return stack is filled at exits, and never runs empty",
        "note: Meltdown: vulnerable: components' tables map the kernel's memory and components', no guest's",
        "fit: L1TF: L1D flush before another guest",
        "fit: MDS: VERW at changes",
        "fit: TAA: VERW at changes",
        "fit: MMIO stale data: VERW at changes",
        "fit: GDS: microcode",
        "fit: store bypass: guests' own choice",
        "fit: LazyFP: registers cleared at changes",
        "fit: ITLB multihit: guests execute from 4 KiB pages",
        "note: threads of one core leak to each other: a VM stays off beside others ('threads')",
      ])
    #expect(
      findings("speculation", .amd) == [
        "fit: Spectre v1: indices of system calls are masked",
        "fit: Spectre v2: no indirect branches, IBPB at changes, returns filled at exits",
        "note: Retbleed: vulnerable: to components that are taken over; IBPB at exits",
        "note: SRSO: vulnerable: to components that are taken over; IBPB at exits",
        "fit: store bypass: guests' own choice",
        "note: threads of one core leak to each other: a VM stays off beside others ('threads')",
      ])
  }

  @Test func `where Linux does not say which processor it is, nothing is said of it`() {
    var machine = SavedMachine.amd
    machine.add("proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: svm npt")
    #expect(findings("speculation", machine).isEmpty)
  }

  @Test func `an old Linux that knows of nothing leaves it to the lists`() throws {
    var machine = SavedMachine.supermicro
    for path in machine.files.paths where path.contains("vulnerabilities") { machine.set(path, nil) }
    let said = findings("speculation", machine)
    #expect(said.contains("note: GDS: vulnerable: microcode is too old") && said.contains("fit: MDS: VERW at changes"))
  }

  // MARK: - Interrupt lines

  @Test func `a line of another I/O APIC than the first is found by the IOMMU that both are behind`() throws {
    #expect(try line("66:00.0", .supermicro) == .known(42))
    #expect(try line("17:00.0", .supermicro) == .known(32))
    #expect(try line("00:17.0", .supermicro) == .known(16))
    #expect(try line("02:00.0", .amd) == .known(30))
  }

  @Test func `without an IOMMU's table the line is one of several`() throws {
    var machine = SavedMachine.supermicro
    machine.set("sys/firmware/acpi/tables/DMAR", nil)

    #expect(try line("66:00.0", machine) == .among([26, 34, 42, 50]))
  }

  @Test func `messages say nothing about the line`() throws {
    #expect(try line("00:11.5", .supermicro) == .unknown)
    #expect(try line("03:00.0", .amd) == .unknown)
    #expect(try line("65:00.0", .supermicro) == .none)
  }

  // MARK: - What is missing

  @Test func `a processor without virtualisation is not fit, and the firmware's set-up is named`() {
    var machine = SavedMachine.amd
    machine.addProcessors(vendor: "AuthenticAMD", model: "X", cores: 1, threads: 1, flags: "")
    #expect(!MachineSurvey(machine.files).isFit)
    #expect(findings("processor", machine)[0].contains("firmware's set-up"))

    machine.addProcessors(vendor: "GenuineIntel", model: "X", cores: 1, threads: 1, flags: "vmx")
    #expect(findings("processor", machine) == ["unfit: X: Intel VMX without EPT: the processor is too old"])
    machine.addProcessors(vendor: "GenuineIntel", model: "X", cores: 1, threads: 1, flags: "vmx ept", vmx: "vnmi")
    #expect(findings("processor", machine)[0].contains("without unrestricted guests"))
    machine.addProcessors(vendor: "Other", model: "X", cores: 1, threads: 1, flags: "vmx svm npt ept")
    #expect(!MachineSurvey(machine.files).isFit)
  }

  @Test func `a machine without an IOMMU runs, but gives devices away by leave only`() throws {
    var machine = SavedMachine.amd
    machine.set("sys/firmware/acpi/tables/IVRS", nil)

    #expect(MachineSurvey(machine.files).isFit)
    #expect(findings("IOMMU", machine)[0].hasPrefix("note: none: VMs' devices and disks need"))
    #expect(DescriptionText(MachineSurvey(machine.files)).text.contains("# unprotected-dma: true"))
  }

  @Test func `an IOMMU that does not remap interrupts lets VMs have devices by leave only`() throws {
    var machine = SavedMachine.amd
    // Flags of 0: the DMAR does not offer it.
    machine.set("sys/firmware/acpi/tables/IVRS", nil)
    let unit: [UInt8] = [0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0]
    machine.addTable("DMAR", [38, 0] + [UInt8](repeating: 0, count: 10) + unit)

    #expect(MachineSurvey(machine.files).isFit)
    #expect(findings("remapping", machine)[0].contains("VMs' devices need 'unprotected-dma'"))
    #expect(DescriptionText(MachineSurvey(machine.files)).text.contains("# unprotected-dma: true"))
  }

  @Test func `the firmware's own console comes before Linux's`() {
    var machine = SavedMachine.amd
    machine.addSerial(1, port: 0x2f8)
    #expect(findings("serial", machine)[0].contains("is com1: Linux"))
    machine.addTable("SPCR", [0, 0, 0, 0, 1, 8, 0, 0] + bytes(UInt64(0x2f8)))
    #expect(findings("serial", machine)[0].contains("is com2: the firmware's own"))
  }

  @Test func `a serial port without a name is found, and described with its interrupt`() throws {
    var machine = SavedMachine.amd
    for path in machine.files.paths where path.hasPrefix("sys/class/tty") { machine.set(path, nil) }
    machine.set("proc/cmdline", nil)
    // On a card, whose line is a GSI; and some that cannot be described.
    machine.addSerial(4, port: 0xe0c0, interrupt: 19)
    machine.addSerial(5, port: 0xe0c8)
    machine.addSerial(6, port: 0xcf8, interrupt: 19)
    machine.addSerial(7, port: 0x1_02f8, interrupt: 3)
    machine.addSerial(8, port: 0x3e0, type: 0, interrupt: 3)

    #expect(findings("serial", machine) == ["fit: 0xe0c0; the console is 0xe0c0: the only one"])
    #expect(
      DescriptionText(MachineSurvey(machine.files)).text.contains(
        "console: { uart: 0xe0c0, interrupt: 19, baud: 115200 }"))
    machine.addSerial(1, port: 0x3e8, interrupt: 5)
    #expect(findings("serial", machine)[0].hasPrefix("fit: COM3, 0xe0c0; the console is com3"))
    #expect(DescriptionText(MachineSurvey(machine.files)).text.contains("console: { uart: com3, interrupt: 5, baud"))
  }

  @Test func `a machine of which nothing is known is not fit`() {
    #expect(!MachineSurvey(MachineFiles()).isFit)
  }
}
