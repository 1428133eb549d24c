// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// The keyboard belongs to one VM, or to several, and now and then to the console. Where a line starts, `@` begins a
// command; anywhere else it is a character like others, and so is everything else.
//
//   start ── @ ─► command ── a whole command, or one that is none ─► start     (but after @@: inside, an @ was sent)
//    │ ▲             ├─ Backspace: one character back; with none left ─► start
//    │ │             └─ Escape, ^C ─► start
//    │ └─ Enter, line feed, ^C, ^D, ^U, or Backspace over all that was typed
//    └─ any other key ─► inside ── any other key ─► inside
//
// The first key of all is at a start, and so is the key after a command: `@0`, `@1` need no Enter between them.
//
// With at most ten VMs a number is one digit and complete with it. With more, it is complete with its second digit, or
// with Enter or a blank after the first: `@3` Enter, `@12`.

/// What is to be done about a key.
enum KeyOutcome: Equatable {
  /// The VMs with the keyboard get this byte.
  case send(UInt8)
  /// The command that is being typed changed: show it.
  case echo
  /// The command was taken back.
  case cancelled
  case command(Command)
  case refused(Refusal)
}

/// The input side: tells commands from what the VMs are to get.
struct LineMultiplexer {
  /// VMs that can be named.
  let machines: Int
  /// The command being typed, or the one that was just completed.
  private(set) var text = CommandText()
  private var isCommand = false
  /// Characters typed since the line's start, as far as Backspace can take them back.
  private var column = 0

  init(machines: Int) { self.machines = machines }

  mutating func take(_ key: UInt8) -> KeyOutcome {
    if isCommand { return continueCommand(key) }
    if key == 0x40, column == 0 {
      isCommand = true
      text.clear()
      text.append(key)
      return .echo
    }
    switch key {
    case 0x0d, 0x0a, 0x03, 0x04, 0x15: column = 0
    case 0x08, 0x7f: column = max(column - 1, 0)
    default: column += 1
    }
    return .send(key)
  }

  private mutating func continueCommand(_ key: UInt8) -> KeyOutcome {
    switch key {
    case 0x08, 0x7f:
      text.removeLast()
      isCommand = text.count > 0
      return isCommand ? .echo : .cancelled
    case 0x1b, 0x03:
      isCommand = false
      return .cancelled
    case 0x0a, 0x0d: text.append(0x0d)
    case 0x20...0x7e: text.append(key)
    default: return .echo
    }
    switch text.read(machines: machines) {
    case .unfinished: return .echo
    case .complete(let command):
      isCommand = false
      if command == .literal { column = 1 }
      return .command(command)
    case .refused(let refusal):
      isCommand = false
      return .refused(refusal)
    }
  }
}
