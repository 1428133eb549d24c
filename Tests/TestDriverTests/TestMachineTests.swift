// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestDriver
import Testing

/// Systems that are started and ended; the emulator's monitor serves as the console.
struct TestMachineTests {
  static let monitor = [
    "qemu-system-x86_64", "-machine", "none", "-display", "none", "-nodefaults",
    "-monitor", "unix:\(TestMachine.socket),server=on,wait=on",
  ]

  @Test func `a console is read and typed at`() async throws {
    let machine = try await TestMachine(command: TestMachineTests.monitor)
    try await machine.expect("(qemu) ")
    machine.type("info status\n")
    try await machine.expect(.line("^VM status: "))
    machine.type("quit\n")
    #expect(try await machine.ending(within: .seconds(60)) == "it ended with status 0")
  }

  @Test func `the end of a machine is the end of its whole group`() async throws {
    let machine = try await TestMachine(
      command: ["sh", "-c", "echo group $$ >&2; sleep 1000 & \"$@\"", "sh"] + TestMachineTests.monitor)
    let group = try #require(machine.output.firstMatch(of: /group (\d+)/).flatMap { Int32($0.1) })
    #expect(kill(-group, 0) == 0)

    await machine.end()

    // The watcher of the group may take a moment to be collected.
    for _ in 0..<200 where kill(-group, 0) == 0 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(kill(-group, 0) != 0)
  }

  @Test func `a command that fails says why`() async throws {
    let failure = try await #require(throws: ConsoleFailure.self) {
      _ = try await TestMachine(command: ["sh", "-c", "echo no such disk; exit 3"])
    }

    #expect(failure.description == "No console: it ended with status 3\nno such disk\n")
  }
}
