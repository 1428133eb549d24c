// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import GuestImage
import SystemPackage

/// What a person watching needs to see, on standard error; standard output is for results.
enum StandardError {
  static func write(_ text: String) {
    // Nobody is left to be told of a failure.
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
  }

  /// Whether a person is there, with a terminal.
  static let isTerminal = isatty(STDERR_FILENO) == 1
}

/// What other programs read.
enum StandardOutput {
  static func write(_ text: String) {
    _ = try? FileDescriptor.standardOutput.writeAll(text.utf8)
  }
}

/// Says what is being done, one line for each step that takes a moment.
struct Reporter: Sendable {
  private static let width = 10
  private let isQuiet: Bool

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  func step(_ what: String, _ object: String) {
    guard !isQuiet else { return }
    let label = String(repeating: " ", count: max(0, Self.width - what.count)) + what
    let shown = StandardError.isTerminal ? "\u{1b}[1;36m\(label)\u{1b}[0m" : label
    StandardError.write("\(shown)  \(object)\n")
  }

  /// The tenths of a device that is written and read back, as they are done.
  func device(_ name: String) -> (Int64, _ of: Int64) -> Void {
    var tenths: Int64 = 0
    return { done, total in
      guard done * 10 / max(total, 1) > tenths else { return }
      tenths = done * 10 / total
      step(tenths > 5 ? "read back" : "write", "\(name), \(tenths > 5 ? (tenths - 5) * 20 : tenths * 20) %")
    }
  }

  /// The steps of `GuestMaterial`.
  var progress: Progress { Progress { what, object in step(what, object) } }
}
