// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

/// The reference system, booted once for all tests that leave it as they found it: four VMs, root logged in on each.
enum FourMachines {
  static let numbers = 0..<4

  /// The system at four login prompts, all of them shown.
  private static let atPrompts = Task {
    let disk = try TestDisk("supermicro", partitions: 3)
    let system = try await TestMachine.boot("systems/supermicro.yaml", options: disk.option("sata0"))
    try await system.expectAll(numbers.map { .text("vm\($0) login:") }, within: .seconds(600))
    return system
  }

  /// The system with root logged in on each VM, and only the current VM shown.
  private static let loggedIn = Task {
    let system = try await atPrompts.value
    system.type("@q")
    for number in numbers {
      system.select(number)
      // Its prompt was seen and is in the past: Enter brings the next one.
      system.enter("")
      try await system.logIn(number)
    }
    return system
  }

  /// The system, with root logged in on each VM.
  static var system: TestMachine {
    get async throws { try await loggedIn.value }
  }
}
