// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests {
  /// A description for eight cores on computers of which some have fewer, or some that do not answer. One core more than
  /// the description needs is the emulator's (decision 14).
  @Suite(.serialized)
  struct CoreTests {
    private static let description = "Tests/SystemTests/Systems/cores.yaml"

    @Test func `on eight cores, two of them broken, each VM is where the description wants it`() async throws {
      let machine = try await Computer(processors: 9, kernelArguments: "mute-core=2 mute-core=3").boot(Self.description)
      try await machine.expectAll(
        [
          .line(#"core 2 \(APIC \d+\) does not start"#), .line(#"core 3 \(APIC \d+\) does not start"#),
          .line("vm2: core 2 does not run; it stays off"), .line("warning: vm3: core 3 does not run; it is on core 0"),
          .line("warning: lan: core 3 does not run; it is on core 1"), .line("cores +6 of 9 processors"),
          .line("vm2 +none +64 MiB"), .line("servers +console on core 0, lan on core 1"), .line("warnings +5,"),
        ], within: .seconds(60))
      try await machine.expectAll([0, 1, 3, 4, 5, 6, 7].map { .text("vm\($0) login:") }, within: .seconds(900))
      machine.type("@l")
      try await machine.expectAll(
        [.line("2  vm2 +no core ")]
          + [(0, 0), (1, 1), (3, 0), (4, 4), (5, 5), (6, 6), (7, 7)].map { Self.row($0, onCore: $1) },
        within: .seconds(60))
      try await machine.ask("@r2", for: "vm2 cannot start: its core does not run")
      await machine.end()
    }

    @Test func `on four cores, the VMs of the others are placed or stay off`() async throws {
      let machine = try await Computer(processors: 4).boot(Self.description)
      try await machine.expectAll(
        [
          "the description is for 8 cores; this machine has 4", .line("cores +4 of 4 processors"),
          .line("vm6: core 6 does not run; it stays off"), .line("warning: vm7: core 7 does not run; it is on core 0"),
        ], within: .seconds(60))
      try await machine.expect("all VMs are shown")
      machine.type("@l")
      try await machine.expectAll(
        (4..<7).map { .line("\($0)  vm\($0) +no core ") }
          + [(0, 0), (1, 1), (2, 2), (3, 3), (7, 0)].map { Self.row($0, onCore: $1) }, within: .seconds(60))
      await machine.end()
    }

    @Test func `if no core answers but the one that boots, that is core 0`() async throws {
      let machine = try await Computer(processors: 2, kernelArguments: "mute-core=0").boot("systems/minimal.yaml")
      try await machine.expectAll(
        [
          .line(#"core 0 \(APIC \d+\) does not start"#), "warning: the core that booted takes the place of core 0",
          .line("cores +1 of 2 processors, [^;]*$"),
        ], within: .seconds(60))
      try await machine.expect("tiny login:", within: .seconds(400))
      await machine.end()
    }

    /// The line of `@l` for a VM that has started once and runs on that core.
    private static func row(_ number: Int, onCore core: Int) -> Pattern {
      .line(#"\b\#(number)[ *]+vm\#(number) +running .*% +\#(core) +1$"#)
    }
  }
}
