// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What a guest asks of the world outside its machine.
package enum Request: Equatable, Sendable {
  case none
  /// A byte for the console.
  case transmit(UInt8)
  case powerOff
  case reset

  init(_ request: PowerRequest) {
    switch request {
    case .none: self = .none
    case .powerOff: self = .powerOff
    case .reset: self = .reset
    }
  }
}
