// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

/// What an exit costs in instructions of Roost's, by its reason; a guest of a few instructions leaves for one after the
/// other. The numbers are the same on any computer, and in each run.
enum ExitCosts {
  /// What the guest `Counting/guest.S` does, in its order.
  private static let reasons = [
    "CPUID", "port read", "port written", "queue's port written", "MSR read", "MSR written", "device memory read",
    "tick of a guest that sleeps", "tick of a guest that computes",
  ]
  /// Where it does the first, and bytes of code for each.
  private static let start: UInt64 = 0x10_1000
  private static let size: UInt64 = 0x100

  /// Measures all.
  /// - Returns: A line for each.
  static func measure() async throws -> [String] {
    let counting = try Counting(.roost)
    let session = try await Session(.roost, .exits, counting.arguments)
    try await session.machine.expect(.wholeLine("BENCH counted"), within: .seconds(120))
    let exits = try counting.read().single
    await session.end()
    return reasons.enumerated().map { number, reason in
      let first = start + UInt64(number) * size
      return line(reason, exits.filter { $0.address >= first && $0.address < first + size })
    }
  }

  /// The median tells what the exit costs; how many are exactly that, that it is no accident.
  private static func line(_ reason: String, _ exits: [Counts.Exit]) -> String {
    guard !exits.isEmpty else { return "instructions per exit, \(reason): none seen" }
    let (kernel, vmm) = (median(exits.map(\.kernel)), median(exits.map(\.vmm)))
    let share = exits.count { $0.kernel == kernel && $0.vmm == vmm } * 100 / exits.count
    return "instructions per exit, \(reason): kernel \(kernel), VMM \(vmm) (\(exits.count) exits, \(share) % just so)"
  }

  private static func median(_ values: [Int]) -> Int { values.sorted()[values.count / 2] }
}
