// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A value of the description as it was written, and where.
struct Value {
  let place: Place
  let content: Content

  enum Content {
    /// A scalar: text whatever it looks like.
    case text(String)
    case list([Value])
    case map([Entry])
    /// Nothing after the colon.
    case nothing
    /// Something already reported, which nobody looks at again.
    case refused
  }

  /// A key and its value.
  struct Entry {
    let key: String
    let place: Place
    let value: Value
  }

  /// What this is, for messages.
  var kind: String {
    switch content {
    case .text: "text"
    case .list: "a list"
    case .map: "a map"
    case .nothing, .refused: "nothing"
    }
  }
}
