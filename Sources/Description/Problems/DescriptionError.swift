// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A place in the description, counted from 1.
package struct Place: Equatable, Comparable, Sendable {
  package var line: Int
  package var column: Int

  package static func < (left: Self, right: Self) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }
}

/// One thing wrong with a description, and where.
package struct DescriptionError: Error, Equatable, Sendable, CustomStringConvertible {
  package var file: String
  package var place: Place
  package var problem: Problem

  /// `file:line:column: error: what is wrong; what to do`.
  package var description: String { "\(file):\(place.line):\(place.column): error: \(problem.message)" }
}

/// Everything wrong with a description, in the order of its lines; never empty.
package struct DescriptionErrors: Error, Equatable, Sendable, CustomStringConvertible {
  package var errors: [DescriptionError]

  /// One line for each error.
  package var description: String { errors.map(\.description).joined(separator: "\n") }
}
