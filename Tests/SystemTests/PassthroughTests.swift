// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// Three VMs with a card of the computer each, booted once: root logged in on each.
private enum ThreeWithCards {
  static let numbers = 0..<3

  static let booted = Task {
    let system = try await TestMachine.boot("Tests/SystemTests/Systems/passthrough.yaml")
    try await system.logInEverywhere(numbers)
    return system
  }

  /// For the end of the suite.
  @Sendable static func end() async { await (try? booted.value)?.end() }
}

extension SystemTests {
  /// VMs with network cards of the computer. Each test leaves all of them logged in.
  @Suite(.serialized, .ending(ThreeWithCards.end))
  struct PassthroughTests {
    @Test func `a VM's card leases an address, and sends messages of its table`() async throws {
      let system = try await ThreeWithCards.booted.value
      try await system.expectLease(0)
      let messages = try await system.run("grep -c 'PCI-MSI.*eth1' /proc/interrupts", on: 0)
      #expect(messages == "3")
    }

    @Test func `8 MiB that are downloaded through a card arrive as they were sent`() async throws {
      let system = try await ThreeWithCards.booted.value
      try await system.expectLease(0)
      try await system.expectDownload(0)
    }

    @Test(arguments: 1...2)
    func `a card without messages is found at its line, which two VMs share`(number: Int) async throws {
      let system = try await ThreeWithCards.booted.value
      try await system.expectLease(number)
      try await system.expectLine(number)
      let other = 3 - number
      let ping = try await system.run("dmesg | grep -c 'nobody cared'", on: other)
      #expect(ping == "0")
    }

    @Test(arguments: 0...1)
    func `a VM that reboots finds its card as new`(number: Int) async throws {
      let system = try await ThreeWithCards.booted.value
      system.select(number)
      system.enter("reboot")
      try await system.expect(.line("vm\(number) starts, for the 2nd time"), within: .seconds(120))
      try await system.logIn(number)
      try await system.expectLease(number)
    }

    @Test func `the card behind the second root works by its line too, and after a reboot`() async throws {
      let system = try await TestMachine.boot("Tests/SystemTests/Systems/card-by-line.yaml")
      try await system.logInEverywhere(0...0)
      try await system.expectLease(0)
      try await system.expectLine(0)
      try await system.expectDownload(0)
      system.enter("reboot")
      try await system.expect(.line("vm0 starts, for the 2nd time"), within: .seconds(120))
      try await system.logIn(0)
      try await system.expectLease(0)
      await system.end()
    }

    @Test func `a card that is told to read what is not its VM's is stopped, and reported`() async throws {
      let system = try await ThreeWithCards.booted.value
      try await system.misdirectCard(of: 0, to: 0x4000_0000)
      try await system.expectLog(
        [.line("vm0: DMA of 66:00.0 stopped, a read at 0x40000000: that is not its memory")])
      try await system.expectAnswers(2)

      try await system.ask("@r 0", for: "vm0 starts")
      try await system.logIn(0)
      try await system.expectLease(0)
    }
  }
}
