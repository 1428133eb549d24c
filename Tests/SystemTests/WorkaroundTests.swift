// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests {
  /// What people add to a kernel's command line when a machine misbehaves must not be what makes ours misbehave.
  @Suite(.serialized)
  struct WorkaroundTests {
    @Test func `VMs whose kernels do without parts of the machine reach their log-ins`() async throws {
      let machine = try await Computer(processors: 3, console: .com1).boot("Tests/SystemTests/Systems/workarounds.yaml")
      let names = ["nolapic", "neither", "no-acpi", "noapic", "no-timer", "no-kvm"]
      try await machine.expectAll(names.map { .text("\($0) login:") }, within: .seconds(900))
      // Without a local APIC every tick of the 8254 is masked while it is handled.
      machine.type("@q")
      machine.select(0)
      machine.enter("")
      try await machine.logIn(0)
      #expect(try await machine.run("sleep 2; grep -c XT-PIC.*timer /proc/interrupts", on: 0) == "1")
      await machine.end()
    }
  }
}
