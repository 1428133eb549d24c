// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The values of a section, by key: each known, and of the kind its key asks for.
struct Fields {
  /// What the section describes, as in "VM 'vm0' has no 'kernel'".
  let owner: String
  private let values: [String: Value]

  init(owner: String, values: [String: Value]) {
    self.owner = owner
    self.values = values
  }

  /// The value of a key; `nil` if it was not given, or not rightly.
  subscript(key: Key) -> Value? { values[key.name] }
}

extension Value {
  /// The text of a scalar; empty if this is none, which `Report` excludes for keys that ask for text.
  var text: String { if case .text(let text) = content { text } else { "" } }

  var elements: [Value] { if case .list(let elements) = content { elements } else { [] } }

  var entries: [Entry] { if case .map(let entries) = content { entries } else { [] } }
}
