// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests {
  /// What a person can do with VMs from the console, and VMs with themselves. Each test leaves all four logged in.
  @Suite(.serialized, .ending(FourMachines.end))
  struct LifeCycleTests {
    @Test func `the list shows every VM`() async throws {
      let system = try await FourMachines.system
      for number in FourMachines.numbers { try await system.expect(vm: number, .running) }
    }

    @Test func `help names every command`() async throws {
      let system = try await FourMachines.system
      system.type("@?")
      try await system.expectAll(["@@", "@m", "@l", "@r", "@p", "@q"].map { .text($0) }, within: .seconds(60))
    }

    @Test func `an @ within a line, and a doubled one at its start, is only a character`() async throws {
      let system = try await FourMachines.system
      #expect(try await system.run("echo a@1b", on: 0) == "a@1b")
      system.enter("@@nothing")
      try await system.expect(.line("@nothing: not found"))
    }

    @Test func `what is typed to several VMs reaches each of them`() async throws {
      let system = try await FourMachines.system
      system.enter("@m01")
      system.enter("touch /tmp/typed-to-both")
      for number in 0...1 {
        #expect(try await system.run("ls /tmp/typed-to-both", on: number) == "/tmp/typed-to-both")
      }
      #expect(try await system.run("ls /tmp/typed-to-both 2>&1", on: 2).contains("No such file"))
    }

    @Test func `what a VM printed while it was not shown is shown on going there`() async throws {
      let system = try await FourMachines.system
      system.select(2)
      system.enter("(sleep 3; seq -s - 1 300; echo L''ATER) &")
      try await system.run("sleep 6", on: 1)
      system.select(2)
      try await system.expect("298-299-300\nLATER\n")
    }

    @Test func `a BREAK and NMIs reach the guest`() async throws {
      let system = try await FourMachines.system
      try await system.run("true", on: 3)
      system.type("@b 3")
      system.type("h")
      try await system.expect(.line("sysrq: HELP"), within: .seconds(60))
      system.enter("")
      for _ in 0..<2 {
        system.type("@i 3")
        try await system.expect(.line("NMI received for unknown reason"), within: .seconds(60))
      }
      system.enter("")
      let counted = try await system.run(#"sed -n 's/^ *NMI: *\([0-9]*\).*/\1/p' /proc/interrupts"#, on: 3)
      #expect(counted == "2")
    }

    @Test func `the power button wakes a guest that suspended itself`() async throws {
      let system = try await FourMachines.system
      #expect(try await system.run("cat /sys/power/suspend_stats/success", on: 2) == "0")
      system.enter("echo freeze > /sys/power/state; echo A''WAKE")
      // Pressed too early it says nothing to a guest whose programs do not listen.
      var presses = 0
      while !system.transcript.text.contains("AWAKE"), presses < 30 {
        system.type("@w 2")
        presses += 1
        try? await system.expect(.line("AWAKE"), within: .seconds(4))
      }
      #expect(try await system.run("cat /sys/power/suspend_stats/success", on: 2) == "1")
    }

    @Test func `a guest's reboot brings that VM back and disturbs no other`() async throws {
      let system = try await FourMachines.system
      system.select(1)
      system.enter("reboot")
      try await system.expect(.line("(?i)restarting system|reboot:"))
      try await system.expect("vm1 starts", within: .seconds(120))
      #expect(try await system.run("hostname", on: 0) == "vm0")
      try await system.logIn(1)
      try await expectFresh(1, system)
    }

    @Test func `a guest's power-off stops that VM, and the console starts it again`() async throws {
      let system = try await FourMachines.system
      system.select(2)
      system.enter("poweroff")
      try await system.expect(vm: 2, .off)
      #expect(try await system.run("hostname", on: 3) == "vm3")
      system.type("@p 2")
      try await system.logIn(2)
      try await expectFresh(2, system)
    }

    @Test func `the console restarts a VM that runs`() async throws {
      let system = try await FourMachines.system
      // What the console says of it comes between the lines of whoever prints.
      try await system.ask("@r 3", for: "vm3 starts")
      #expect(try await system.run("hostname", on: 0) == "vm0")
      try await system.logIn(3)
      try await expectFresh(3, system)
    }

    @Test func `a triple fault is reported and stops only its VM`() async throws {
      let system = try await FourMachines.system
      system.select(1)
      system.enter("echo triple > /sys/kernel/reboot/type; reboot -f")
      try await system.expect(.line("vm1 crashed"))
      try await system.expectLog([.line("vm1.*stopped: triple fault"), .line("vm1.*rip 0x[0-9a-f]+ rsp 0x[0-9a-f]+")])
      try await system.expect(vm: 1, .crashed)
      for number in [0, 2, 3] { #expect(try await system.run("hostname", on: number) == "vm\(number)") }
      system.type("@r 1")
      try await system.logIn(1)
    }

    /// The VM has only just booted.
    private func expectFresh(_ number: Int, _ system: TestMachine) async throws {
      let uptime = try await system.run("cut -d. -f1 /proc/uptime", on: number)
      #expect(try #require(Int(uptime)) < 60)
      #expect(try await system.run("hostname", on: number) == "vm\(number)")
    }
  }
}
