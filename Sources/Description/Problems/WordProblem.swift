// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with a name, a word, a number or a size.
package enum WordProblem: Equatable, Sendable {
  case badName(String)
  case nameTooLong(String)
  /// `owner` is what has the name: a VM, or a switch.
  case reservedName(String, owner: String)
  case badUART(String)
  case badPort(String)
  case portWithoutInterrupt(String)
  case unknownWord(String, key: String, choices: [String])
  case badNumber(String, key: String, range: ClosedRange<Int>)
  case badNumbers(String, key: String, range: ClosedRange<Int>)
  /// A range whose first number is above its last.
  case backwards(Int, Int)
  case badSize(String)
  case commandLineTooLong(count: Int)
  case commandLineCharacter(UInt32)

  var message: String {
    switch self {
    case .badName(let name): "\(quoted: name) cannot be a name; use letters, digits and '-', starting with a letter"
    case .nameTooLong(let name):
      "the name \(quoted: name) has \(name.unicodeScalars.count) characters; use at most \(Limits.nameLength)"
    case .reservedName(let name, let owner):
      "\(quoted: name) is a part of Roost itself; give the \(owner) another name"
    case .badUART(let text):
      "\(quoted: text) is not possible for 'uart'; write com1, com2, com3 or com4, or the first I/O port, like 0x3e8"
    case .badPort(let text):
      "\(quoted: text) cannot be where a UART is; write a multiple of 8 from 0x100 to 0xfff8, but not 0xcf8"
    case .portWithoutInterrupt(let text):
      "nobody knows the interrupt of the UART at \(text); add it, like `interrupt: 10`"
    case .unknownWord(let word, let key, let choices):
      "\(quoted: word) is not possible for \(quoted: key); write \(Problem.list(choices, last: "or"))"
    case .badNumber(let text, let key, let range):
      "\(quoted: text) is not possible for \(quoted: key); write a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .badNumbers(let text, let key, let range):
      "\(quoted: text) is not possible for \(quoted: key); write whole numbers from \(range.lowerBound) to "
        + "\(range.upperBound), or ranges of them like 10-20"
    case .backwards(let first, let last): "the range \(first)-\(last) goes backwards; write \(last)-\(first)"
    case .badSize(let text): "\(quoted: text) is not a size; write a whole number and MiB or GiB, like `1900 MiB`"
    case .commandLineTooLong(let count): "the command line has \(count) bytes; use at most \(Limits.commandLine)"
    case .commandLineCharacter(let scalar):
      "the command line has the character U+\(Self.hexadecimal(scalar)); use printable ASCII only"
    }
  }

  private static func hexadecimal(_ scalar: UInt32) -> String {
    let digits = String(scalar, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
