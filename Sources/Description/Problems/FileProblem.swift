// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with the file, before its keys mean anything.
package enum FileProblem: Equatable, Sendable {
  case unreadable(reason: String)
  case notUTF8
  case notYAML(problem: String, advice: String)
  case empty
  case anchor
  case tag(String)
  case mergeKey
  case keyNotText

  var message: String {
    switch self {
    case .unreadable(let reason): "the description cannot be read: \(reason); check its path"
    case .notUTF8: "the description is not UTF-8 text; save it as UTF-8"
    case .notYAML(let problem, let advice): "this is not YAML: \(problem); \(advice)"
    case .empty: "the description is empty; start from systems/minimal.yaml"
    case .anchor: "anchors and aliases are not supported; write the value itself at each place"
    case .tag(let tag): "the YAML tag \(quoted: tag) is not supported; leave it out"
    case .mergeKey: "the merge key '<<' is not supported; write the keys themselves"
    case .keyNotText: "a key must be text; write it like `name: value`"
    }
  }
}
