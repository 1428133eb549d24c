// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Description
@testable import Survey

/// What is written for a machine is a description.
struct DescriptionTests {
  private func parse(_ text: String) throws -> System {
    try Description.parse(Array(text.utf8), file: "probe.yaml", folder: "/")
  }

  /// The text with everything switched on that is offered.
  private func switchedOn(_ text: String) -> String {
    text.replacing("    # disks:", with: "    disks:").replacing("    # devices:", with: "    devices:")
      .replacing("    #   - {", with: "      - {")
  }

  @Test func `the reference machine gets four VMs, its disks and its console`() throws {
    let text = DescriptionText(MachineSurvey(SavedMachine.supermicro.files)).text
    let system = try parse(text)

    #expect(system.name == "supermicro-sys-5019d-fn")
    #expect(system.machines.map(\.name) == ["vm0", "vm1", "vm2", "vm3"])
    #expect(system.machines.allSatisfy { $0.memory == 1900 << 20 })
    #expect(system.console.uart == .com2)
    #expect(system.disks.map(\.name) == ["sata0", "sata1"])
    #expect(system.declaredCores == 16)
  }

  @Test func `what is offered can be switched on as it stands`() throws {
    let text = DescriptionText(MachineSurvey(SavedMachine.supermicro.files)).text
    let system = try parse(switchedOn(text))

    #expect(system.machines[3].devices.map(\.address.text) == ["66:00.0", "66:00.1", "17:00.0"])
    #expect(system.machines[3].devices.map(\.interrupt) == [42, nil, 32])
    #expect(system.machines.allSatisfy { $0.disks.count == 1 })
  }

  @Test func `a small machine gets fewer VMs, or smaller ones`() throws {
    var machine = SavedMachine.amd
    #expect(try parse(DescriptionText(MachineSurvey(machine.files)).text).machines.count == 4)
    for (memory, count) in [(2000, 4), (700, 2), (300, 1), (64, 1), (0, 1)] {
      machine.add("proc/meminfo", "MemTotal: \(memory * 1024) kB")
      let system = try parse(DescriptionText(MachineSurvey(machine.files)).text)
      #expect(system.machines.count == count, "\(memory) MiB")
    }
  }

  @Test func `a machine of which nothing is known has a description all the same`() throws {
    #expect(try parse(DescriptionText(MachineSurvey(MachineFiles())).text).name == "computer")
  }

  @Test func `words of the firmware stay comments`() throws {
    var machine = SavedMachine.amd
    machine.set("sys/class/dmi/id/product_name", Array("x\nvms: {}\r\u{85}\u{2028}y: \"".utf8) + [0, 0xff])
    machine.add("sys/class/dmi/id/bios_version", "\u{1b}[2J1\nname: other")
    let system = try parse(DescriptionText(MachineSurvey(machine.files)).text)

    #expect(system.name == "example-boards-x-vms-y")
    #expect(system.machines.count == 4)
  }
}
