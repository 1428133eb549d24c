// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests {
  /// Guests and VMMs that fail, and those beside them that must not notice. The VMMs are a build of their own that
  /// traps when its guest writes the byte 0xDE to port 0xF00D.
  @Suite(.serialized)
  struct FaultTests {
    private static let booted = Task {
      let system = try await TestMachine.boot(
        "Tests/SystemTests/Systems/two.yaml", options: ["--components", Repository.faultyImages])
      try await system.expectAll(["vm0 login:", "vm1 login:"], within: .seconds(600))
      system.type("@q")
      for number in 0...1 {
        system.select(number)
        system.enter("")
        try await system.logIn(number)
      }
      return system
    }

    @Test func `a trap in a VMM is reported with its place, and the console restarts that VM`() async throws {
      let system = try await FaultTests.booted.value
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

    @Test func `a VM that is to restart after a crash does so`() async throws {
      let system = try await FaultTests.booted.value
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
