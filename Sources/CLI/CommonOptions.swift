// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import HostTools
import Logging

/// Options that all commands have.
struct CommonOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing but errors.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Show the programs that are started.")
  var verbose = false

  func validate() throws {
    if quiet && verbose { throw ValidationError("Choose one of --quiet and --verbose.") }
  }

  var reporter: Reporter { Reporter(isQuiet: quiet) }

  var tools: ToolRunner {
    var logger = Logger(label: "roost", factory: StreamLogHandler.standardError(label:))
    logger.logLevel = verbose ? .debug : .warning
    return ToolRunner(logger: logger)
  }
}

extension CompletionKind {
  /// Files that can be system descriptions.
  static var descriptions: Self { .file(extensions: ["yaml", "yml"]) }
}
