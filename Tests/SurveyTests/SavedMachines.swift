// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension SavedMachine {
  /// A small board with an AMD processor: two I/O APICs, one IOMMU, a SATA controller, an NVMe drive, a network card.
  static var amd: SavedMachine {
    var machine = SavedMachine()
    machine.addProcessors(
      vendor: "AuthenticAMD", model: "AMD Ryzen Embedded V1605B", numbers: (23, 17, 0), cores: 4, threads: 8,
      flags: "svm npt avic avx rdrand ibpb ssbd")
    machine.addWeaknesses(amdWeaknesses)
    machine.add("proc/meminfo", "MemTotal:        8028160 kB\nMemFree:          100000 kB")
    machine.add("proc/cmdline", "BOOT_IMAGE=/vmlinuz console=tty0 console=ttyS0,115200n8")
    machine.add("sys/class/dmi/id/sys_vendor", "Example Boards")
    machine.add("sys/class/dmi/id/product_name", "Small Board (rev 2)")
    machine.add("sys/class/dmi/id/bios_version", "1.20")
    machine.addSerial(0, port: 0x3f8)
    machine.addSerial(1, port: 0x2f8, type: 0)
    machine.addTable(
      "APIC", madt(processors: 8, ioapics: [(32, 0xfec0_0000, 0), (33, 0xfec0_1000, 24)]))
    machine.addTable(
      "IVRS",
      ivrs([
        (
          0xfeb8_0000,
          [
            [3] + bytes(UInt16(3)) + [0], [4] + bytes(UInt16(0xffff)) + [0],
            [72, 0, 0, 0, 33] + bytes(UInt16(1)) + [1], [72, 0, 0, 0, 32] + bytes(UInt16(0xa0)) + [1],
          ]
        )
      ]))
    machine.addTable("MCFG", mcfg())
    machine.addFunction("00:00.0", (0x1022, 0x15d0), code: 0x060000)
    machine.addFunction("00:01.2", (0x1022, 0x15d3), code: 0x060400, pin: 1, irq: 26, buses: 2...2, group: 1)
    machine.addFunction("02:00.0", (0x8086, 0x1533), code: 0x020000, pin: 1, irq: 30, group: 9)
    machine.addFunction("00:01.3", (0x1022, 0x15d3), code: 0x060400, pin: 1, irq: 27, buses: 3...3, group: 2)
    machine.addFunction("03:00.0", (0x144d, 0xa808), code: 0x010802, pin: 1, irq: 41, group: 10)
    machine.addFunction("00:08.2", (0x1022, 0x15dc), code: 0x060400, buses: 6...6, group: 4)
    machine.addFunction("06:00.0", (0x1022, 0x7901), code: 0x010601, pin: 1, irq: 42, group: 4)
    machine.addFunction("00:14.0", (0x1022, 0x790b), code: 0x0c0500, group: 7)
    machine.addInterrupt(30, chip: "IR-IO-APIC", pin: 6)
    machine.addInterrupt(41, chip: "IR-PCI-MSIX-0000:03:00.0", pin: 0)
    machine.addInterrupt(42, chip: "IR-PCI-MSI", pin: 0)
    return machine
  }

  private static var amdWeaknesses: [String: String] {
    [
      "retbleed": "Mitigation: untrained return thunk; SMT vulnerable",
      "spec_rstack_overflow": "Mitigation: Safe RET",
      "spec_store_bypass": "Mitigation: Speculative Store Bypass disabled via prctl",
      "spectre_v1": "Mitigation: usercopy/swapgs barriers and __user pointer sanitization",
      "spectre_v2": "Mitigation: Retpolines; IBPB: conditional; STIBP: disabled; RSB filling; BHI: Not affected",
    ]
  }

  /// The shape of the reference machine, a Supermicro SYS-5019D-FN8TP, as far as it is known: several PCI roots, five
  /// I/O APICs with an IOMMU for each root, a SATA controller at 00:11.5, a network card at 66:00.0, the console on COM2.
  static var supermicro: SavedMachine {
    var machine = SavedMachine()
    machine.addProcessors(
      vendor: "GenuineIntel", model: "Intel(R) Xeon(R) D-2146NT CPU @ 2.30GHz", numbers: (6, 85, 4), cores: 8,
      threads: 16,
      flags: "vmx ept vpid x2apic avx rdrand rtm ibrs ibpb stibp ssbd md_clear flush_l1d arch_capabilities",
      vmx: "vnmi preemption_timer ept_1gb unrestricted_guest vapic_reg vid posted_intr")
    machine.addWeaknesses([
      "gather_data_sampling": "Mitigation: Microcode", "itlb_multihit": "KVM: Mitigation: Split huge pages",
      "l1tf": "Mitigation: PTE Inversion; VMX: conditional cache flushes, SMT vulnerable",
      "mds": "Mitigation: Clear CPU buffers; SMT vulnerable", "meltdown": "Mitigation: PTI",
      "mmio_stale_data": "Mitigation: Clear CPU buffers; SMT vulnerable", "retbleed": "Mitigation: IBRS",
      "spec_store_bypass": "Mitigation: Speculative Store Bypass disabled via prctl",
      "spectre_v1": "Mitigation: usercopy/swapgs barriers and __user pointer sanitization",
      "spectre_v2": "Mitigation: IBRS; IBPB: conditional; STIBP: conditional; RSB filling; BHI: Not affected",
      "tsx_async_abort": "Mitigation: Clear CPU buffers; SMT vulnerable",
    ])
    machine.add("proc/meminfo", "MemTotal:       32730244 kB")
    machine.add("proc/cmdline", "BOOT_IMAGE=/vmlinuz intel_iommu=on console=ttyS1,115200")
    machine.add("sys/class/dmi/id/sys_vendor", "Supermicro")
    machine.add("sys/class/dmi/id/product_name", "SYS-5019D-FN8TP")
    machine.addSerial(0, port: 0x3f8)
    machine.addSerial(1, port: 0x2f8)
    machine.addTable(
      "APIC",
      madt(
        processors: 16,
        ioapics: [
          (8, 0xfec0_0000, 0), (9, 0xfec0_1000, 24), (10, 0xfec0_8000, 32), (11, 0xfec1_0000, 40),
          (12, 0xfec1_8000, 48),
        ]))
    machine.addTable("MCFG", mcfg())
    machine.addTable("DMAR", dmar(units))
    machine.addSupermicroFunctions()
    return machine
  }

  private static var units: [(flags: UInt8, base: UInt64, scopes: [[UInt8]])] {
    [
      (0, 0xd37f_c000, [scope(3, 0x16, 5, 4, id: 10), scope(2, 0x16, 0, 0)]),
      (0, 0xe0ff_c000, [scope(3, 0x64, 5, 4, id: 11), scope(2, 0x64, 0, 0), scope(2, 0x64, 2, 0)]),
      (0, 0xee7f_c000, [scope(3, 0xb2, 5, 4, id: 12)]),
      (1, 0xc5ff_c000, [scope(3, 0xf0, 31, 7, id: 8), scope(3, 0, 5, 4, id: 9)]),
    ]
  }

  private mutating func addSupermicroFunctions() {
    addFunction("00:00.0", (0x8086, 0x2020), code: 0x060000, group: 0)
    addFunction("00:05.4", (0x8086, 0x2026), code: 0x080020, group: 3)
    addFunction("00:11.0", (0x8086, 0xa1ec), code: 0xff0000, group: 8)
    addFunction("00:11.5", (0x8086, 0xa1d2), code: 0x010601, pin: 1, irq: 45, group: 8)
    addFunction("00:17.0", (0x8086, 0xa182), code: 0x010601, pin: 1, irq: 16, group: 9)
    addFunction("16:00.0", (0x8086, 0x2030), code: 0x060400, pin: 1, irq: 36, buses: 0x17...0x17, group: 20)
    addFunction("17:00.0", (0x144d, 0xa808), code: 0x010802, pin: 1, irq: 38, group: 21)
    addFunction("64:00.0", (0x8086, 0x2030), code: 0x060400, buses: 0x65...0x65, group: 30)
    addFunction("65:00.0", (0x8086, 0x37c8), code: 0x0b4000, group: 31)
    addFunction("64:02.0", (0x8086, 0x2032), code: 0x060400, buses: 0x66...0x66, group: 32)
    addFunction("66:00.0", (0x8086, 0x1521), code: 0x020000, pin: 1, irq: 37, group: 33)
    addFunction("66:00.1", (0x8086, 0x1521), code: 0x020000, pin: 2, irq: 46, group: 34)
    addFunction("b2:05.0", (0x8086, 0x2034), code: 0x088000, group: 40)
    addInterrupt(16, chip: "IR-IO-APIC", pin: 16)
    addInterrupt(36, chip: "IR-IO-APIC", pin: 7)
    addInterrupt(37, chip: "IR-IO-APIC", pin: 2)
    addInterrupt(38, chip: "IR-IO-APIC", pin: 0)
    addInterrupt(45, chip: "IR-PCI-MSI", pin: 0)
    addInterrupt(46, chip: "IR-PCI-MSI", pin: 1)
  }
}
