// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Logging
import Subprocess
package import SystemPackage

/// Starts tools of the host and collects what they say.
package struct ToolRunner: Sendable {
  /// Bytes of output that a tool may write.
  private static let outputLimit = 16 << 20

  private let logger: Logger

  package init(logger: Logger) { self.logger = logger }

  /// Runs a tool to its end.
  /// - Parameter environment: Variables added to, or with `nil` taken from, this process's own.
  /// - Returns: Its standard output.
  @discardableResult
  package func run(
    _ tool: Tool, _ arguments: [String], in directory: FilePath? = nil, environment: [String: String?] = [:]
  ) async throws(ToolFailure) -> String {
    logger.debug("\(([tool.name] + arguments).joined(separator: " "))")
    let changes = Dictionary(
      uniqueKeysWithValues: environment.compactMap { name, value in Environment.Key(rawValue: name).map { ($0, value) }
      })
    return try await Self.translating(tool, limit: Self.outputLimit) {
      let result = try await Subprocess.run(
        .name(tool.name), arguments: Arguments(arguments), environment: .inherit.updating(changes),
        workingDirectory: directory,
        output: .string(limit: Self.outputLimit), error: .string(limit: Self.outputLimit))
      logger.trace("\(result.standardOutput)\(result.standardError)")
      guard result.terminationStatus.isSuccess else {
        throw ToolFailure.failed(tool, saying: Self.lastWords(result.standardOutput, result.standardError))
      }
      return result.standardOutput
    }
  }

  /// Runs a tool that makes other bytes of those in a file.
  /// - Parameter limit: The most bytes that it may make.
  /// - Returns: Its standard output.
  package func run(
    _ tool: Tool, _ arguments: [String], reading file: FilePath, limit: Int
  ) async throws(ToolFailure) -> [UInt8] {
    logger.debug("\(([tool.name] + arguments).joined(separator: " ")) < \(file)")
    return try await Self.translating(tool, limit: limit) {
      let input = try FileDescriptor.open(file, .readOnly)
      let result = try await Subprocess.run(
        .name(tool.name), arguments: Arguments(arguments),
        input: .fileDescriptor(input, closeAfterSpawningProcess: true),
        output: .bytes(limit: limit), error: .string(limit: Self.outputLimit))
      guard result.terminationStatus.isSuccess else {
        throw ToolFailure.failed(tool, saying: Self.lastWords("", result.standardError))
      }
      return result.standardOutput
    }
  }

  /// Runs a tool and says what went wrong in our own words.
  private static func translating<Result>(
    _ tool: Tool, limit: Int, _ body: () async throws -> Result
  ) async throws(ToolFailure) -> Result {
    do {
      return try await body()
    } catch let failure as ToolFailure {
      throw failure
    } catch let error as SubprocessError where error.code == .executableNotFound {
      throw .missing(tool)
    } catch let error as SubprocessError where error.code == .outputLimitExceeded {
      throw .tooMuch(tool, limit: limit)
    } catch {
      throw .unusable(tool, because: "\(error)")
    }
  }

  /// Throws if a tool is not installed, so that this is said before anything long is begun.
  package static func require(_ tool: Tool) async throws(ToolFailure) {
    do {
      _ = try await Executable.name(tool.name).resolveExecutablePath(in: .inherit)
    } catch {
      throw .missing(tool)
    }
  }

  /// Throws if a file of a package is not there; the tool's name is its path.
  package static func require(file tool: Tool) throws(ToolFailure) {
    do {
      try FileDescriptor.open(FilePath(tool.name), .readOnly).close()
    } catch {
      throw .missing(tool)
    }
  }

  /// The lines a person needs to see of a tool that failed: those with an error in them; failing that, the last ones.
  private static func lastWords(_ output: String, _ error: String) -> String {
    let lines = (output + "\n" + error).split(separator: "\n").filter { $0.contains { !$0.isWhitespace } }
    // A line that begins with a space repeats an error below the source it is about.
    let errors = lines.filter { $0.contains("error: ") && $0.first != " " || $0.hasPrefix("E: ") }
    let limit = 20
    return (errors.isEmpty ? lines.suffix(limit) : errors.prefix(limit)).joined(separator: "\n")
  }
}
