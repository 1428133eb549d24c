// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

/// The colours the console uses, as ECMA-48 sequences that every terminal knows.
enum Colour {
  static var reset: StaticString { "\u{1b}[0m" }
  static var console: StaticString { "\u{1b}[1m" }
  static var kernel: StaticString { "\u{1b}[1;31m" }

  /// The colour of a VM's name: readable on black and on white, and none of them the red of errors.
  static func machine(_ number: Int) -> StaticString {
    switch number {
    case 0: "\u{1b}[36m"
    case 1: "\u{1b}[32m"
    case 2: "\u{1b}[33m"
    case 3: "\u{1b}[35m"
    case 4: "\u{1b}[34m"
    case 5: "\u{1b}[96m"
    case 6: "\u{1b}[92m"
    case 7: "\u{1b}[93m"
    case 8: "\u{1b}[95m"
    case 9: "\u{1b}[94m"
    case 10: "\u{1b}[1;36m"
    case 11: "\u{1b}[1;32m"
    case 12: "\u{1b}[1;33m"
    case 13: "\u{1b}[1;35m"
    case 14: "\u{1b}[1;34m"
    default: "\u{1b}[4;36m"
    }
  }

  /// The colour of a log line's text.
  static func level(_ level: UInt8) -> StaticString {
    switch LogLevel(rawValue: level) {
    case .debug: "\u{1b}[2m"
    case .warning: "\u{1b}[33m"
    case .error: "\u{1b}[31m"
    case .information, nil: ""
    }
  }
}
