// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver

/// A Bochs that forgets no translation that a processor may keep, and counts: the distribution's source with a patch of
/// ours, built when it is first asked for (Tests/SystemTests/Bochs).
enum StrictBochs {
  private static let folder = "\(Repository.root)/.cache/bochs"

  /// Builds it unless it is there. → the program's path
  static func program() async throws -> String {
    try await Tool.run(["\(Repository.root)/Tests/SystemTests/Bochs/build.sh", folder], within: .seconds(3600))
    return folder + "/bochs"
  }

  /// What the host did until a moment ago, from the file that Bochs writes.
  static func counts(in path: String) throws -> HostCounts {
    var counts = HostCounts()
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      let words = line.split(separator: " ")
      let named = Dictionary(zip(words, words.dropFirst()).map { (String($0), Int($1) ?? 0) }) { first, _ in first }
      if let reason = named["reason"] {
        counts.byReason.append(
          ExitCounts(
            reason: reason, exits: named["exits"] ?? 0, reads: named["reads"] ?? 0, writes: named["writes"] ?? 0,
            listEntries: named["entries"] ?? 0,
            registerAccesses: (named["rdmsr"] ?? 0) + (named["wrmsr"] ?? 0)))
      } else {
        counts.kept += named["kept"] ?? 0
        counts.strange += named["strange"] ?? 0
      }
    }
    return counts
  }
}

/// What the host did.
struct HostCounts {
  var byReason: [ExitCounts] = []
  /// How often it came to ring 3 with translations from before.
  var kept = 0
  /// How often some of these were found under another CR3 than ring 3 then ran with.
  var strange = 0
}

/// VM exits for one reason, and what was done from each to the next: VMREADs, VMWRITEs, entries of lists of registers
/// loaded or stored, RDMSRs and WRMSRs.
struct ExitCounts {
  /// The basic exit reason (Intel SDM volume 3, appendix C).
  var reason = 0
  var exits = 0
  var reads = 0
  var writes = 0
  var listEntries = 0
  var registerAccesses = 0

  /// For people, by exit.
  var line: String {
    let sums = [reads, writes, listEntries, registerAccesses]
    let means = sums.map { String(format: "%.1f", Double($0) / Double(max(exits, 1))) }
    let fields = "VMREAD \(means[0]), VMWRITE \(means[1])"
    return "VMX exit \(reason): \(exits) times, \(fields), registers of lists \(means[2]), other registers \(means[3])"
  }

  static func + (one: Self, other: Self) -> Self {
    ExitCounts(
      reason: one.reason, exits: one.exits + other.exits, reads: one.reads + other.reads,
      writes: one.writes + other.writes, listEntries: one.listEntries + other.listEntries,
      registerAccesses: one.registerAccesses + other.registerAccesses)
  }
}
