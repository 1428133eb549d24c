// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with the keys and the kinds of their values.
package enum ShapeProblem: Equatable, Sendable {
  /// `owner` is what has the key, as in "a VM"; `nearest` the key that was probably meant.
  case unknownKey(String, owner: String, nearest: String?, known: [String])
  case repeatedKey(String, firstLine: Int)
  /// `kind` is what has the name: VM or switch.
  case repeatedName(String, kind: String, firstLine: Int)
  case missingKey(String, owner: String, example: String)
  /// `subject` is what is wrong, as in "an entry of 'cores'".
  case wrongType(subject: String, expected: String, found: String, example: String)

  var message: String {
    switch self {
    case .unknownKey(let key, let owner, let nearest?, _):
      "\(quoted: key) is not a key of \(owner); did you mean '\(nearest)'?"
    case .unknownKey(let key, let owner, nil, let known):
      "\(quoted: key) is not a key of \(owner); the keys there are \(Problem.list(known, last: "and"))"
    case .repeatedKey(let key, let line): "\(quoted: key) is already given in line \(line); keep one of the two"
    case .repeatedName(let name, let kind, let line):
      "\(kind) \(quoted: name) is already described in line \(line); rename or remove one of the two"
    case .missingKey(let key, let owner, let example): "\(owner) has no \(quoted: key); add it, like `\(example)`"
    case .wrongType(let subject, let expected, let found, let example):
      "\(subject) must be \(expected), but here is \(found); write it like `\(example)`"
    }
  }
}
