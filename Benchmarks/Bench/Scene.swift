// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What runs on the emulated computer.
enum Scene: String, CaseIterable {
  /// A guest with nothing but a console.
  case one
  /// A guest that has a network card of the computer for itself.
  case card
  /// Four guests on one network.
  case four

  var guests: Int { self == .four ? 4 : 1 }

  /// For people.
  var title: String {
    switch self {
    case .one: "one guest"
    case .four: "four guests"
    case .card: "one guest with a network card"
    }
  }
}
