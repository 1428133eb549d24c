// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// Two VMs on a switch, booted once, whose VMMs are a build of their own: it traps when its guest writes the byte 0xDE
/// to port 0xF00D, has the switch of its first card trap for the byte 0x5A, makes a system call from 32-bit code for 0x32
/// lets interrupts come with RFLAGS.AC set for 0xAC, and has the kernel print its guest's memory for 0x1C. Root is logged in on both.
enum TwoThatFail {
  private static let booted = Task {
    let system = try await TestMachine.boot(
      "Tests/SystemTests/Systems/two.yaml", options: ["--components", Repository.faultyImages])
    try await system.logInEverywhere(0...1)
    return system
  }

  static var system: TestMachine {
    get async throws { try await booted.value }
  }

  /// For the end of the suite.
  @Sendable static func end() async { try? await booted.value.end() }
}

extension SystemTests {
  /// Guests, VMMs and switches that fail, and those beside them that must not notice.
  @Suite(.serialized, .ending(TwoThatFail.end))
  struct FaultTests {
    @Test func `a TCP stream goes on, and arrives whole, when the switch under it traps and starts anew`() async throws
    {
      let system = try await TwoThatFail.system
      for number in 0...1 { try await system.configure(number) }
      try await system.ping(FourOnASwitch.address(1), from: 0)
      let stream = Stream(from: 0, to: 1, mebibytes: Stream.usualSize / 8)
      try await stream.start(system)
      var kills = 0
      while kills < 3 {
        // Each time a part of the stream has come since.
        let before = try await system.port(of: 1)
        while try await system.port(of: 1)["delivered_bytes"] < before["delivered_bytes"] + 1 << 20 {
          guard try await stream.isRunning(system) else { break }
        }
        guard try await stream.isRunning(system) else { break }
        try await system.run(#"printf '\x5a' | dd of=/dev/port bs=1 seek=61453"#, on: kills % 2)
        while try await system.port(of: 1)["starts"] == before["starts"] {}
        kills += 1
      }
      #expect(kills > 0, "the stream was over before the switch was killed")
      try await stream.finish(system, within: .seconds(240))
      try await system.expectLog([.line("lan trapped: ")])
      try await system.ping(FourOnASwitch.address(0), from: 1)
    }

    @Test func `a trap in a VMM is reported with its place, and the console restarts that VM`() async throws {
      let system = try await TwoThatFail.system
      system.select(0)
      system.enter(#"printf '\xde' | dd of=/dev/port bs=1 seek=61453"#)
      try await system.expect(.line("vm0 crashed"))
      try await system.expectLog([.line("vm0 trapped: "), .line(#"at \S.* \+ 0x[0-9a-f]+ \(0x[0-9a-f]+\)"#)])
      try await system.expect(vm: 0, .crashed)
      #expect(try await system.run("hostname", on: 1) == "vm1")
      system.type("@r 0")
      try await system.logIn(0)
      #expect(try await system.run("hostname", on: 0) == "vm0")
      #expect(try await system.run("hostname", on: 1) == "vm1")
    }

    @Test func `a component finds no way into ring 0 by a system call from 32-bit code`() async throws {
      let system = try await TwoThatFail.system
      system.select(0)
      system.enter(#"printf '\x32' | dd of=/dev/port bs=1 seek=61453"#)
      try await system.expect(.line("vm0 crashed"))
      try await system.expectLog([.line("vm0 trapped: general protection .*error 0x18")])
      try await system.expect(vm: 0, .crashed)
      #expect(try await system.run("hostname", on: 1) == "vm1")
      system.type("@r 0")
      try await system.logIn(0)
    }

    /// The kernel of this build stops the machine if it finds the flag set.
    @Test func `the kernel cannot reach ring 3's pages, whatever flags the component that was interrupted has`()
      async throws
    {
      let system = try await TwoThatFail.system
      try await system.run(#"printf '\xac' | dd of=/dev/port bs=1 seek=61453"#, on: 1)
      #expect(try await system.run("hostname", on: 0) == "vm0")
    }

    @Test func `the kernel prints nothing for a component but what is its own`() async throws {
      let system = try await TwoThatFail.system
      try await system.run(#"printf '\x1c' | dd of=/dev/port bs=1 seek=61453"#, on: 1)
      #expect(try await system.run("hostname", on: 1) == "vm1")
    }

    @Test func `a VM that is to restart after a crash does so`() async throws {
      let system = try await TwoThatFail.system
      system.select(1)
      system.enter("echo triple > /sys/kernel/reboot/type; reboot -f")
      try await system.expect(.line("vm1 starts, for the 2nd time"))
      try await system.expectLog([.line("stopped: triple fault")])
      try await system.logIn(1)
      #expect(try await system.run("hostname", on: 1) == "vm1")
      #expect(try await system.run("hostname", on: 0) == "vm0")
    }
  }
}
