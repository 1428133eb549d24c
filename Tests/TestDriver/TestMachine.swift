// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A system that runs for a test: a process, and the console on its socket.
///
/// It ends with `end()`, with the last reference to it and with the process that tests, whichever comes first.
package final class TestMachine: Sendable {
  /// All that its console said.
  package let transcript: Transcript
  /// When its process was started.
  package let started: ContinuousClock.Instant
  private let process: ChildProcess
  private let console: ConsoleSocket
  private let folder: TemporaryFolder

  /// The word of a command that stands for the path of the console's socket.
  package static let socket = "{console}"

  /// Starts a command, one of whose arguments holds the word `{console}`, and connects to its console; with `port`, the
  /// console is at that TCP port of this computer.
  package init(command: [String], port: UInt16? = nil, within limit: Duration = .seconds(120)) async throws {
    folder = try TemporaryFolder()
    let path = folder.path + "/console"
    let output = folder.path + "/output"
    transcript = Transcript()
    started = .now
    process = try ChildProcess(command.map { $0.replacing(TestMachine.socket, with: path) }, output: output)
    let place = port.map { ConsoleSocket.Place.port($0) } ?? .path(path)
    console = try await TestMachine.connect(place, transcript, process, output, deadline: started + limit)
  }

  /// Boots a system description, by its path from the root, as `roost run` does, without a screen.
  package static func boot(
    _ description: String, options: [String] = [], within limit: Duration = .seconds(600)
  ) async throws -> TestMachine {
    let arguments = ["run", "\(Repository.root)/\(description)", "--headless", "--console-socket", socket] + options
    return try await TestMachine(command: [Repository.roost] + arguments, within: limit)
  }

  /// Waits for `pattern` after the last match, and goes on behind it.
  @discardableResult
  package func expect(_ pattern: Pattern, within limit: Duration = .seconds(60)) async throws -> Match {
    do {
      return try await transcript.expect(pattern, within: limit)
    } catch let failure as ConsoleFailure {
      throw explained(failure)
    }
  }

  /// Waits for all of `patterns`, which may come in any order, and goes on behind the last.
  @discardableResult
  package func expectAll(_ patterns: [Pattern], within limit: Duration) async throws -> [Match] {
    let deadline = ContinuousClock.now + limit
    let start = transcript.position
    var matches: [Match] = []
    var end = start
    for pattern in patterns {
      transcript.position = start
      matches.append(try await expect(pattern, within: deadline - .now))
      end = max(end, transcript.position)
    }
    transcript.position = end
    return matches
  }

  /// Types, as fast as the console takes it.
  package func type(_ text: String) { console.type(Array(text.utf8)) }

  /// Processor time that the system's processes have used up to now.
  package var processorTime: Duration { process.processorTime }

  /// Ends the system.
  package func end() async { await process.end() }

  /// Ends the system as it is, in the middle of whatever it does.
  package func loseThePower() async { await process.end(grace: .zero) }

  /// What the process itself printed, beside the console.
  package var output: String { folder.read("output") }

  /// How the process ended, waited for.
  package func ending(within limit: Duration) async throws -> String {
    let deadline = ContinuousClock.now + limit
    while .now < deadline {
      if let ending = process.ending { return ending }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw explained(transcript.failure("It still runs after \(limit)"))
  }

  private func explained(_ failure: ConsoleFailure) -> ConsoleFailure {
    let words = folder.read("output").suffix(2000)
    return words.isEmpty ? failure : ConsoleFailure(description: "\(failure)\nIts process printed:\n\(words)")
  }

  private static func connect(
    _ place: ConsoleSocket.Place, _ transcript: Transcript, _ process: ChildProcess, _ output: String,
    deadline: ContinuousClock.Instant
  ) async throws -> ConsoleSocket {
    while true {
      if let console = ConsoleSocket(place, transcript: transcript) { return console }
      let printed = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
      if let ending = process.ending { throw ConsoleFailure(description: "No console: \(ending)\n\(printed)") }
      guard .now < deadline else {
        await process.end()
        throw ConsoleFailure(description: "No console in time\n\(printed)")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
