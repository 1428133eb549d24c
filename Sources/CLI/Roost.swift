// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

/// The command `roost`.
struct Roost: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "roost",
    abstract: "Runs several Linux machines on one computer, with nothing under them but a small kernel.",
    discussion: """
      A text file in YAML says which machines there are and what each has. 'check' reads it, 'build' makes a boot \
      image of it, 'run' boots that image in an emulator and puts you at its console, 'probe' looks at a computer \
      and describes a system for it.

      Shell completion: roost --generate-completion-script bash (or zsh, fish).
      """,
    version: "0.1.0",
    subcommands: [CheckCommand.self, BuildCommand.self, RunCommand.self, ProbeCommand.self])
}

/// Where the process starts; it ends with 0, or with what `Failure` and the usage of commands say.
@main
enum Main {
  /// A command line that makes no sense.
  private static let usageStatus: Int32 = 2

  static func main() async {
    do {
      var command = try Roost.parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let failure as Failure {
      if let message = failure.message { StandardError.write(message + "\n") }
      exit(failure.status)
    } catch  where Roost.exitCode(for: error) == .validationFailure {
      StandardError.write(Roost.fullMessage(for: error) + "\n")
      exit(usageStatus)
    } catch {
      Roost.exit(withError: error)
    }
  }
}
