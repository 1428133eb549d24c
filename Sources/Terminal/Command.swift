// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

/// What a person can ask of the console.
enum Command: Equatable {
  /// `@N`: the keyboard goes to VM N.
  case select(Int)
  /// `@m N N`: the keyboard goes to several VMs, one bit each.
  case selectMany(UInt16)
  /// `@@`: one `@` for the VM.
  case literal
  /// `@?`
  case help
  /// `@l`
  case list
  /// `@q`: show all, or only the VM with the keyboard.
  case toggleMode
  /// `@r N`: start VM N anew.
  case restart(Int)
  /// `@p N`: power off, or on.
  case power(Int)
  /// `@b N`, `@w N`, `@i N`: press a key of VM N's that is not on a keyboard.
  case press(MachineKey, Int)
  /// `@t N`: show the last exits of VM N.
  case trace(Int)
  /// `@s N`: show the counters of VM N, for programs to read.
  case statistics(Int)
  /// `@n`: list the switches and their ports.
  case network
  /// `@n N`: show the counters of VM N's ports, for programs to read.
  case ports(Int)
  /// `@d`: list the disks and who has what of them.
  case disks
  /// `@d N`: show the counters of VM N's disks, for programs to read.
  case shares(Int)
}

/// Why something typed is no command.
enum Refusal: Equatable {
  case unknown
  case noSuchMachine(Int)
  /// A number was expected, and this is none.
  case notANumber
  /// `@m` with nobody to type to.
  case nobody
}

/// What the characters of a command amount to so far.
enum Reading: Equatable {
  /// More must come.
  case unfinished
  case complete(Command)
  case refused(Refusal)
}

/// The characters of a command as typed, `@` included; Enter is kept as a carriage return.
struct CommandText {
  static var capacity: Int { 60 }
  private(set) var bytes: InlineArray<60, UInt8> = InlineArray(repeating: 0)
  private(set) var count = 0

  /// Adds a character; what does not fit is left out.
  mutating func append(_ byte: UInt8) {
    guard count < Self.capacity else { return }
    bytes[count] = byte
    count += 1
  }

  mutating func removeLast() { count = max(count - 1, 0) }
  mutating func clear() { count = 0 }

  /// What it means on a console of `machines` VMs.
  func read(machines: Int) -> Reading {
    guard count > 1 else { return .unfinished }
    switch bytes[1] {
    case 0x30...0x39: return number(from: 1, machines: machines) { .select($0) }
    case 0x40: return .complete(.literal)
    case 0x3f: return .complete(.help)
    case 0x6c: return .complete(.list)
    case 0x71: return .complete(.toggleMode)
    case 0x6d: return several(machines: machines)
    case 0x6e: return isEnded(from: 2) ? .complete(.network) : number(from: 2, machines: machines) { .ports($0) }
    case 0x64: return isEnded(from: 2) ? .complete(.disks) : number(from: 2, machines: machines) { .shares($0) }
    case 0x72: return number(from: 2, machines: machines) { .restart($0) }
    case 0x70: return number(from: 2, machines: machines) { .power($0) }
    case 0x62: return number(from: 2, machines: machines) { .press(.lineBreak, $0) }
    case 0x77: return number(from: 2, machines: machines) { .press(.powerButton, $0) }
    case 0x69: return number(from: 2, machines: machines) { .press(.nonMaskable, $0) }
    case 0x73: return number(from: 2, machines: machines) { .statistics($0) }
    case 0x74: return number(from: 2, machines: machines) { .trace($0) }
    default: return .refused(.unknown)
    }
  }

  /// Whether there is nothing from `start` on but blanks and then Enter.
  private func isEnded(from start: Int) -> Bool {
    var index = start
    while index < count, bytes[index] == 0x20 { index += 1 }
    return index < count && bytes[index] == 0x0d
  }

  /// One VM's number: complete with its last possible digit, or with Enter or a blank behind it.
  private func number(from start: Int, machines: Int, _ command: (Int) -> Command) -> Reading {
    var index = start
    while index < count, bytes[index] == 0x20 { index += 1 }
    var value = 0
    var digits = 0
    while index < count, (0x30...0x39).contains(bytes[index]), digits < Self.digits(machines) {
      value = value * 10 + Int(bytes[index] - 0x30)
      digits += 1
      index += 1
    }
    let isEnded = index < count && (bytes[index] == 0x0d || bytes[index] == 0x20)
    if index < count, !isEnded || digits == 0 { return .refused(.notANumber) }
    guard isEnded || digits == Self.digits(machines) else { return .unfinished }
    return value < machines ? .complete(command(value)) : .refused(.noSuchMachine(value))
  }

  /// `@m`, numbers, Enter. With at most ten VMs each digit is a number; with more, blanks or commas part them.
  private func several(machines: Int) -> Reading {
    guard bytes[count - 1] == 0x0d || count == Self.capacity else { return .unfinished }
    var mask: UInt16 = 0
    var index = 2
    while index < count {
      guard (0x30...0x39).contains(bytes[index]) else {
        guard bytes[index] == 0x20 || bytes[index] == 0x2c || bytes[index] == 0x0d else { return .refused(.notANumber) }
        index += 1
        continue
      }
      var value = 0
      var digits = 0
      while index < count, (0x30...0x39).contains(bytes[index]), digits < Self.digits(machines) {
        value = value * 10 + Int(bytes[index] - 0x30)
        digits += 1
        index += 1
      }
      guard value < machines else { return .refused(.noSuchMachine(value)) }
      mask |= 1 << UInt16(value)
    }
    return mask == 0 ? .refused(.nobody) : .complete(.selectMany(mask))
  }

  /// Digits of the longest VM number.
  private static func digits(_ machines: Int) -> Int { machines > 10 ? 2 : 1 }
}
