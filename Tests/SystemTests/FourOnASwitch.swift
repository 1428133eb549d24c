// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// `Systems/network.yaml`, booted once for all tests of the network: root logged in on each VM, and only the current
/// VM shown. VM n has 192.168.1.(n+1) on the switch `lan`.
enum FourOnASwitch {
  static let numbers = 0..<4

  private static let booted = Task {
    let system = try await TestMachine.boot("Tests/SystemTests/Systems/network.yaml")
    try await system.logInEverywhere(numbers)
    for number in numbers { try await system.configure(number) }
    return system
  }

  static var system: TestMachine {
    get async throws { try await booted.value }
  }

  /// For the end of the suite: what runs no longer takes no time from other tests.
  @Sendable static func end() async { try? await booted.value.end() }

  /// The address of VM `number` on `lan`.
  static func address(_ number: Int) -> String { "192.168.1.\(number + 1)" }
}

extension TestMachine {
  /// Gives VM `number`, which has just booted, its address, and has it answer who asks all (RFC 1122, §3.2.2.6).
  func configure(_ number: Int) async throws {
    try await run(
      "ifconfig eth0 \(FourOnASwitch.address(number)); sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0", on: number)
  }

  /// Pings `address` from VM `number` until `count` answers came.
  func ping(_ address: String, from number: Int, count: Int = 2, options: String = "") async throws {
    let text = try await run("ping -q -c \(count) -W 20 \(options) \(address)", on: number)
    #expect(text.contains("\(count) packets received, 0% packet loss"), "vm\(number) to \(address): \(text)")
  }

  /// All VMs of the system ping each other.
  func pingAllPairs(_ numbers: some Sequence<Int> = FourOnASwitch.numbers) async throws {
    for from in numbers {
      for to in numbers where to != from { try await ping(FourOnASwitch.address(to), from: from) }
    }
  }
}
