// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What to wait for on a console.
package enum Pattern: Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
  /// These characters, wherever they are.
  case text(String)
  /// A line, finished or not, in which this regular expression is found. What a group catches is complete: the end of an
  /// unfinished line is not caught.
  case line(String)
  /// Likewise, and the line has its end.
  case wholeLine(String)

  package init(stringLiteral value: String) { self = .text(value) }

  package var description: String {
    switch self {
    case .text(let text): "the text \(text.debugDescription)"
    case .line(let expression): "a line with /\(expression)/"
    case .wholeLine(let expression): "a whole line with /\(expression)/"
    }
  }
}

/// Where a pattern was found.
package struct Match: Sendable {
  /// The text that matched.
  package let text: String
  /// The line up to its end or, if unfinished, as far as it was there.
  package let line: String
  /// What the expression's groups caught.
  package let captures: [String]
  /// When the last character of the match arrived.
  package let time: ContinuousClock.Instant
  /// Everything read over from the last match to this one.
  package let before: String
}

/// Something did not appear on the console in time, or never can.
package struct ConsoleFailure: Error, CustomStringConvertible {
  package let description: String

  package init(description: String) { self.description = description }
}
