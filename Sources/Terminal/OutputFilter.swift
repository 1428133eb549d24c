// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// What a guest prints is untrusted. When several VMs share the screen, each byte goes through this filter, which turns
// it into a token that can only touch the guest's own line.
//
// ground ── ESC ─► escape ── [ ─► sequence ── final byte ─► ground    (a token if known and harmless, else nothing)
//    │               ├─ ] P X ^ _ ─► string ── BEL, ESC, end of line ─► ground             (always dropped)
//    │               ├─ 0x20-0x2f ─► escape                              └─ or after 256 bytes
//    │               └─ other ─► ground                                                    (always dropped)
//    └─ lead byte of UTF-8 ─► character ── last byte ─► ground   (a character if well-formed and visible)
//
// ESC starts anew in every state, and the end of a line ends every state, so a guest can hold back nothing but its own
// current line. The byte that breaks a UTF-8 character off is looked at afresh.

/// What a byte that a guest printed amounts to.
enum ScreenToken: Equatable {
  /// Nothing (yet).
  case none
  /// A visible character, in `text`.
  case character
  /// A whole sequence that sets colours, in `text`.
  case style
  case newLine, carriageReturn, backspace, tab
  /// Moves of the cursor along the line.
  case left(Int), right(Int)
  case eraseToEnd, eraseLine
}

/// Turns a guest's bytes into tokens.
struct OutputFilter {
  private enum State {
    case ground, escape, sequence, string
    case character(missing: Int)
  }

  private var state = State.ground
  /// The bytes of the character or sequence that is being read, or was read last.
  private(set) var text: InlineArray<32, UInt8> = InlineArray(repeating: 0)
  private(set) var count = 0
  /// Bytes of the string that is being skipped.
  private var skipped = 0
  private var isOverlong = false

  /// Forgets an unfinished sequence.
  mutating func reset() { state = .ground }

  mutating func take(_ byte: UInt8) -> ScreenToken {
    switch byte {
    case 0x1b:
      state = .escape
      return .none
    case 0x0a, 0x0b, 0x0c:
      state = .ground
      return .newLine
    case 0x0d:
      state = .ground
      return .carriageReturn
    case 0x18, 0x1a:  // CAN, SUB: break a sequence off (ECMA-48, §8.3.6)
      state = .ground
      return .none
    default: break
    }
    switch state {
    case .ground: return plain(byte)
    case .character(let missing): return continued(byte, missing: missing)
    case .escape: return escaped(byte)
    case .sequence: return sequence(byte)
    case .string:
      skipped += 1
      if byte == 0x07 || skipped == 256 { state = .ground }
      return .none
    }
  }

  private mutating func begin(with byte: UInt8) {
    text[0] = byte
    count = 1
    isOverlong = false
  }

  private mutating func append(_ byte: UInt8) {
    guard count < text.count else {
      isOverlong = true
      return
    }
    text[count] = byte
    count += 1
  }

  private mutating func plain(_ byte: UInt8) -> ScreenToken {
    switch byte {
    case 0x08: return .backspace
    case 0x09: return .tab
    case 0x20...0x7e:
      begin(with: byte)
      return .character
    case 0xc2...0xf4:
      begin(with: byte)
      state = .character(missing: byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3)
      return .none
    case 0x80...0xff:
      begin(with: 0x3f)
      return .character
    default: return .none
    }
  }

  private mutating func escaped(_ byte: UInt8) -> ScreenToken {
    switch byte {
    case 0x5b:
      begin(with: 0x1b)
      append(byte)
      state = .sequence
    case 0x5d, 0x50, 0x58, 0x5e, 0x5f:  // OSC, DCS, SOS, PM, APC (ECMA-48, §5.3)
      skipped = 0
      state = .string
    case 0x20...0x2f: break
    default: state = .ground
    }
    return .none
  }
}

// MARK: - UTF-8

extension OutputFilter {
  private mutating func continued(_ byte: UInt8, missing: Int) -> ScreenToken {
    guard isContinuation(byte) else {
      state = .ground
      return plain(byte)
    }
    append(byte)
    guard missing == 1 else {
      state = .character(missing: missing - 1)
      return .none
    }
    state = .ground
    return visible()
  }

  /// Whether `byte` may follow what was read of a character (Unicode 15, table 3-7).
  private func isContinuation(_ byte: UInt8) -> Bool {
    guard count == 1 else { return (0x80...0xbf).contains(byte) }
    switch text[0] {
    case 0xe0: return (0xa0...0xbf).contains(byte)
    case 0xed: return (0x80...0x9f).contains(byte)
    case 0xf0: return (0x90...0xbf).contains(byte)
    case 0xf4: return (0x80...0x8f).contains(byte)
    default: return (0x80...0xbf).contains(byte)
    }
  }

  /// Lets through what cannot steer the terminal nor pass for the console's own hand.
  private mutating func visible() -> ScreenToken {
    var point = UInt32(text[0]) & (count == 2 ? 0x1f : count == 3 ? 0x0f : 0x07)
    for index in 1..<count { point = point << 6 | UInt32(text[index] & 0x3f) }
    switch point {
    case 0..<0xa0: return .none  // U+0080 to U+009F are controls, as good as ESC to some terminals
    case 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: return .none  // turn text round, or hide in it
    case 0x2502:  // the bar after a name is the console's alone
      begin(with: 0x7c)
      return .character
    default: return .character
    }
  }
}

// MARK: - Control sequences

extension OutputFilter {
  /// ESC [ parameters intermediates final (ECMA-48, §5.4).
  private mutating func sequence(_ byte: UInt8) -> ScreenToken {
    guard byte >= 0x20, byte != 0x7f else { return .none }
    append(byte)
    guard (0x40...0x7e).contains(byte) || byte >= 0x80 else { return .none }
    state = .ground
    guard !isOverlong, hasPlainParameters else { return .none }
    let number = parameter
    switch byte {
    case 0x6d: return .style
    case 0x44: return .left(max(number, 1))
    case 0x43: return .right(max(number, 1))
    case 0x4a, 0x4b: return number == 0 ? .eraseToEnd : number == 2 && byte == 0x4b ? .eraseLine : .none
    default: return .none
    }
  }

  /// Whether there is nothing but digits and separators between "ESC [" and the final byte.
  private var hasPlainParameters: Bool {
    for index in 2..<(count - 1) where !(0x30...0x3b).contains(text[index]) { return false }
    return true
  }

  /// The first parameter; 0 if it is left out.
  private var parameter: Int {
    var number = 0
    for index in 2..<(count - 1) {
      guard (0x30...0x39).contains(text[index]) else { break }
      number = min(number * 10 + Int(text[index] - 0x30), 9999)
    }
    return number
  }
}
