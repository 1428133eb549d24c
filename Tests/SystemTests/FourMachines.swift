// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

/// The reference system, booted once for all tests that leave it as they found it: four VMs, root logged in on each.
enum FourMachines {
  static let numbers = 0..<4

  private static let booted = Task {
    let disk = try TestDisk("supermicro", partitions: 3)
    let system = try await TestMachine.boot("systems/supermicro.yaml", options: disk.option("sata0"))
    try await system.logInEverywhere(numbers)
    return system
  }

  /// The system, with root logged in on each VM, and only the current VM shown.
  static var system: TestMachine {
    get async throws { try await booted.value }
  }

  /// For the end of the last suite that uses it.
  @Sendable static func end() async { try? await booted.value.end() }
}
