// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A terminal without a right margin: what a person would see of the bytes.
struct Glass {
  private(set) var lines: [[Character]] = [[]]
  private var column = 0
  private var pending: [UInt8] = []

  init(_ bytes: [UInt8] = []) { feed(bytes) }

  /// The lines, blanks at their ends left out.
  var text: [String] {
    lines.map { line in
      var line = line
      while line.last == " " { line.removeLast() }
      return String(line)
    }
  }

  /// Everything that is on it.
  var screen: String { text.joined(separator: "\n") }

  mutating func feed(_ bytes: [UInt8]) {
    for byte in bytes { feed(byte) }
  }

  private mutating func feed(_ byte: UInt8) {
    if pending.first == 0x1b {
      pending.append(byte)
      endSequence()
    } else if byte == 0x1b {
      pending = [byte]
    } else if byte >= 0x80 {
      pending.append(byte)
      if let character = String(validating: pending, as: UTF8.self)?.first {
        pending = []
        put(character)
      }
    } else {
      pending = []
      switch byte {
      case 0x0d: column = 0
      case 0x0a: lines.append([])
      case 0x08: column = max(column - 1, 0)
      default: put(Character(UnicodeScalar(byte)))
      }
    }
  }

  private mutating func put(_ character: Character) {
    let last = lines.count - 1
    while lines[last].count <= column { lines[last].append(" ") }
    lines[last][column] = character
    column += 1
  }

  private mutating func endSequence() {
    guard pending.count > 2, let final = pending.last, final >= 0x40 || pending[1] == 0x28 else { return }
    let number = Int(String(decoding: pending[2..<(pending.count - 1)], as: UTF8.self)) ?? 1
    switch final {
    case 0x4b: lines[lines.count - 1].removeSubrange(min(column, lines[lines.count - 1].count)...)
    case 0x44: column = max(column - number, 0)
    case 0x43: column += number
    default: break
    }
    pending = []
  }
}
