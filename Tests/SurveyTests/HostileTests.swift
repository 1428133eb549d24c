// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Description
@testable import Survey

/// A saved machine comes from somebody else: whatever is in it, the survey ends and what it writes is a description.
struct HostileTests {
  private func expectDescription(_ machine: SavedMachine, _ what: String) {
    let text = DescriptionText(MachineSurvey(machine.files)).text
    #expect(throws: Never.self, "\(what)\n\(text)") {
      try Description.parse(Array(text.utf8), file: "probe.yaml", folder: "/")
    }
  }

  @Test(arguments: ["APIC", "DMAR", "IVRS", "MCFG", "SPCR"])
  func `tables of every length are borne`(name: String) {
    let path = "sys/firmware/acpi/tables/\(name)"
    for var machine in [SavedMachine.amd, .supermicro] {
      guard let table = machine.files[path] else { continue }
      for count in stride(from: 0, to: table.count, by: 5) {
        machine.set(path, Array(table.prefix(count)))
        expectDescription(machine, "\(name) cut to \(count)")
      }
    }
  }

  @Test func `a table that is cut or damaged is named`() {
    var machine = SavedMachine.supermicro
    machine.set("sys/firmware/acpi/tables/DMAR", machine.files["sys/firmware/acpi/tables/DMAR"]?.dropLast(9))
    let survey = MachineSurvey(machine.files)

    #expect(survey.findings.contains { $0.grade == .note && $0.text.hasPrefix("ACPI table DMAR") })
    #expect(survey.isFit)
  }

  @Test func `absurd numbers are borne`() {
    for text in ["-1", "0", "99999999999999999999", "18446744073709551615", "0x", "nan", "", "4294967296"] {
      var machine = SavedMachine.supermicro
      machine.add("proc/meminfo", "MemTotal: \(text) kB")
      machine.add("sys/kernel/irq/37/hwirq", text)
      machine.add("sys/bus/pci/devices/0000:17:00.0/irq", text)
      machine.add("sys/class/tty/ttyS1/port", text)
      machine.add("sys/kernel/iommu_groups/\(text)/devices/0000:66:00.0", "")
      machine.add("sys/bus/pci/devices/\(text)/config", text)
      expectDescription(machine, text)
    }
  }

  @Test func `any file can be missing`() {
    for path in SavedMachine.supermicro.files.paths {
      var machine = SavedMachine.supermicro
      machine.set(path, nil)
      expectDescription(machine, path)
    }
  }

  @Test func `bytes that were changed anywhere are borne`() {
    var random = SplitMix64(seed: 7)
    for round in 0..<fuzzRounds(60) {
      var machine = round % 2 == 0 ? SavedMachine.amd : .supermicro
      for path in machine.files.paths where random.next() % 4 == 0 {
        guard var content = machine.files[path], !content.isEmpty else { continue }
        for _ in 0...random.next() % 4 {
          content[Int(random.next() % UInt64(content.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        machine.set(path, content)
      }
      expectDescription(machine, "round \(round)")
    }
  }
}
