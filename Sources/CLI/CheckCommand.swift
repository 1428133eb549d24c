// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Bits
import Description

/// `roost check`: says whether descriptions are right.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks system descriptions.",
    discussion: """
      Every mistake is reported as FILE:LINE:COLUMN: error: what is wrong; what to do. Ends with status 1 if there \
      is one. A file that is called - is standard input.
      """)

  @Argument(help: "System descriptions, YAML files.", completion: .descriptions)
  var files: [String]

  @OptionGroup var options: CommonOptions

  func run() throws {
    var errors: [String] = []
    for file in files {
      do {
        let system = try Description.load(path: file)
        options.reporter.step("ok", "\(file): \(system.summary)")
        for note in system.notes { options.reporter.step("note", note) }
      } catch {
        errors.append(error.description)
      }
    }
    if !errors.isEmpty { throw Failure.description(errors) }
  }
}

extension System {
  /// A line about a system: its name, VMs and needs.
  var summary: String {
    let needs = requirements
    let machineCount = machines.count == 1 ? "1 VM" : "\(machines.count) VMs"
    return "\(name), \(machineCount) with \(needs.guestMemory / .MiB) MiB, \(needs.cores.cores)"
  }
}

extension Int {
  /// This many cores, in words.
  var cores: String { self == 1 ? "1 core" : "\(self) cores" }
}
