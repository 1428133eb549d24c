// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The ways in which a description can be wrong: one case of one of these for each rule.
package enum Problem: Equatable, Sendable {
  case file(FileProblem)
  case shape(ShapeProblem)
  case word(WordProblem)
  case resource(ResourceProblem)
  case network(NetworkProblem)
  case address(AddressProblem)
  case disk(DiskProblem)
  case boot(BootProblem)
  case device(DeviceProblem)

  /// What is wrong and, after a semicolon, what to do.
  package var message: String {
    switch self {
    case .file(let problem): problem.message
    case .shape(let problem): problem.message
    case .word(let problem): problem.message
    case .resource(let problem): problem.message
    case .network(let problem): problem.message
    case .address(let problem): problem.message
    case .disk(let problem): problem.message
    case .boot(let problem): problem.message
    case .device(let problem): problem.message
    }
  }

  /// `a, b or c`.
  static func list(_ words: [String], last: String) -> String {
    guard words.count > 1, let end = words.last else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " \(last) \(end)"
  }
}
