// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Programs that run, print and end.
package enum Tool {
  /// Runs `command` to its end.
  /// - Returns: How it ended, in words, and all that it printed.
  package static func result(
    of command: [String], within limit: Duration = .seconds(600)
  ) async throws -> (ending: String, output: String) {
    let folder = try TemporaryFolder()
    let process = try ChildProcess(command, output: folder.path + "/output")
    let deadline = ContinuousClock.now + limit
    var ending = process.ending
    while ending == nil, .now < deadline {
      try await Task.sleep(for: .milliseconds(20))
      ending = process.ending
    }
    await process.end(grace: .zero)
    return (ending ?? "it still ran after \(limit)", folder.read("output"))
  }

  /// Runs `command`, which must succeed.
  /// - Returns: All that it printed.
  @discardableResult
  package static func run(_ command: [String], within limit: Duration = .seconds(600)) async throws -> String {
    let (ending, output) = try await result(of: command, within: limit)
    guard ending == success else {
      throw ConsoleFailure(description: "\(command.joined(separator: " ")): \(ending)\n\(output)")
    }
    return output
  }

  /// How a program ends that has nothing to complain about.
  package static let success = "it ended with status 0"
}
