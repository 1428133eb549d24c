// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver

/// What requests of one Roost guest to its disk cost, in counts: they say the same on any computer.
struct DiskCounts {
  /// What the guest does: a command that uses the disk, and how it is called.
  private static let loads = [
    ("sequential read, 1 MiB each", "dd if=/dev/vda1 of=/dev/null bs=1M count=48 iflag=direct"),
    ("sequential write, 1 MiB each", "dd if=/dev/zero of=/dev/vda1 bs=1M count=48 oflag=direct conv=fsync"),
    ("4 KiB reads, one at a time", "dd if=/dev/vda1 of=/dev/null bs=4k count=2000 iflag=direct"),
  ]

  /// Measures all loads.
  /// - Returns: A line for each.
  static func measure() async throws -> [String] {
    let disk = FileManager.default.temporaryDirectory.appending(path: "roost-bench-\(UUID().uuidString).img").path
    defer { try? FileManager.default.removeItem(atPath: disk) }
    let machine = try await TestMachine.boot(
      "Tests/SystemTests/Systems/one-disk.yaml", options: ["--disk", "sata0=\(disk)"])
    try await machine.logIn(0)
    var lines: [String] = []
    for (name, command) in loads {
      let before = try await counters(machine)
      try await machine.run("\(command) 2>/dev/null", on: 0, within: .seconds(300))
      let after = try await counters(machine)
      lines.append("disk, \(name): " + summary(after, since: before))
    }
    await machine.end()
    return lines
  }

  /// Counts per request of the guest.
  private static func summary(_ after: Counters, since before: Counters) -> String {
    func added(_ name: String) -> Double { (after.values[name] ?? 0) - (before.values[name] ?? 0) }
    let requests = max(added("reads") + added("writes"), 1)
    let ratios = [
      ("commands", "commands"), ("drive_interrupts", "drive interrupts"), ("interrupts", "guest interrupts"),
      ("kicks", "kicks"), ("exits", "exits"),
    ].map { name, words in String(format: "%.2f %@", added(name) / requests, words) }
    return "\(Int(requests)) requests, for each " + ratios.joined(separator: ", ")
  }

  private static func counters(_ machine: TestMachine) async throws -> Counters {
    machine.type("@d0")
    let disk = try await machine.expect(.text("DISK vm0 disks=1"), within: .seconds(60)).before
    machine.type("@s0")
    let exits = try await machine.expect(.text("STATS system"), within: .seconds(60)).before
    return Counters(disk + " " + exits)
  }
}
