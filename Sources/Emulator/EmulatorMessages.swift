// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemPackage

/// What the emulator said of itself while it ran, and what a person should hear of it.
struct EmulatorMessages {
  private let lines: [Substring]

  init(text: String) { lines = text.split(separator: "\n") }

  init(file: FilePath) {
    self.init(text: String(decoding: FileManager.default.contents(atPath: file.string) ?? Data(), as: UTF8.self))
  }

  /// Its last lines but for its warnings, which it has at every start, and for what it says when processors begin.
  var last: String? {
    let words = lines.filter { !$0.contains("warning: ") && !Self.isRegister($0) }
    return words.isEmpty ? nil : words.suffix(5).joined(separator: "\n")
  }

  /// Whether a processor of the machine faulted while it took a double fault, which resets a PC.
  var tellsOfTripleFault: Bool { lines.contains { $0.hasPrefix("Triple fault") } }

  /// Whether a line belongs to the report of a processor's registers.
  private static func isRegister(_ line: Substring) -> Bool { line.hasPrefix("CPU Reset") || line.contains("=") }
}
