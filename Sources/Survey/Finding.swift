// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// One thing about a machine, and what it means for Roost.
package struct Finding: Equatable, Sendable {
  package enum Grade: String, Sendable {
    /// Roost can use it.
    case fit
    /// Roost does without, or not everything works.
    case note
    /// Roost does not run.
    case unfit
  }

  package let grade: Grade
  package let subject: String
  package let text: String

  init(_ grade: Grade, _ subject: String, _ text: String) {
    self.grade = grade
    self.subject = subject
    self.text = text
  }

  /// The line that people read.
  package var line: String {
    let label = grade == .unfit ? "not fit" : grade.rawValue
    return Self.padded(label, 7) + "  " + Self.padded(subject, 11) + "  " + text
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
