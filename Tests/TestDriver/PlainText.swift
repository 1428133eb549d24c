// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Terminal bytes in, readable bytes out: escape sequences and other control bytes are left out, and a carriage return
/// within a line, after which a screen would write over it, begins a new line.
///
/// States: `text` → ESC → `escape`; `escape` → `[` → `control` (until a byte from 0x40 to 0x7e, ECMA-48 §5.4),
/// `]` → `command` (until BEL or ESC `\`), `(`, `)`, `#`, `%` → `oneMore`, anything else → `text`.
package struct PlainText {
  private enum State { case text, escape, control, command, oneMore }

  private var state = State.text
  private var isLineEmpty = true
  private var isReturned = false

  package init() {}

  /// What a reader sees of `bytes`, which may begin and end inside a sequence.
  package mutating func strip(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var plain: [UInt8] = []
    for byte in bytes where step(byte) {
      if isReturned, byte != newline, !isLineEmpty { plain.append(newline) }
      plain.append(byte)
      isLineEmpty = byte == newline
      isReturned = false
    }
    return plain
  }

  private var newline: UInt8 { 0x0a }

  /// Whether `byte` is text.
  private mutating func step(_ byte: UInt8) -> Bool {
    switch state {
    case .text:
      if byte == 0x1b { state = .escape }
      if byte == 0x0d { isReturned = true }
      return byte >= 0x20 && byte != 0x7f || byte == newline || byte == 0x09
    case .escape:
      state = afterEscape(byte)
    case .control:
      if (0x40...0x7e).contains(byte) { state = .text }
    case .command:
      if byte == 0x07 { state = .text } else if byte == 0x1b { state = .escape }
    case .oneMore:
      state = .text
    }
    return false
  }

  private func afterEscape(_ byte: UInt8) -> State {
    switch byte {
    case UInt8(ascii: "["): .control
    case UInt8(ascii: "]"): .command
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "#"), UInt8(ascii: "%"): .oneMore
    default: .text
    }
  }
}
