// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

// Text into typed values; each returns `nil` after reporting what is wrong.
extension Report {
  /// Whether text has the form its key asks for.
  func matches(_ text: String, _ form: Form) -> Bool {
    guard case .text(let pattern, _) = form, let expression = try? Regex(pattern) else { return false }
    return text.wholeMatch(of: expression) != nil
  }

  mutating func name(_ text: String, at place: Place) -> String? {
    guard text.unicodeScalars.count <= Limits.nameLength else {
      add(.word(.nameTooLong(text)), at: place)
      return nil
    }
    guard matches(text, Key.name.form) else {
      add(.word(.badName(text)), at: place)
      return nil
    }
    return text
  }

  /// The name of what becomes a domain: an `owner`, as in "VM".
  mutating func domainName(_ text: String, of owner: String, at place: Place) -> String? {
    guard let name = name(text, at: place) else { return nil }
    guard !Limits.reservedNames.contains(name.lowercased()) else {
      add(.word(.reservedName(name, owner: owner)), at: place)
      return nil
    }
    return name
  }

  /// A number of bytes.
  mutating func size(_ value: Value, of key: Key) -> UInt64? {
    guard matches(value.text, key.form), let digits = value.text.prefixMatch(of: /[0-9]+/),
      let count = UInt64(digits.output)
    else {
      add(.word(.badSize(value.text)), at: value.place)
      return nil
    }
    let size = count * (value.text.hasSuffix("GiB") ? .GiB : .MiB)
    guard size <= Limits.mostMemory else {
      add(.resource(.tooMuchMemory), at: value.place)
      return nil
    }
    return size
  }

  mutating func number(_ value: Value, in range: ClosedRange<Int>, of key: Key) -> Int? {
    guard let number = Self.decimal(value.text), range.contains(number) else {
      add(.word(.badNumber(value.text, key: key.name, range: range)), at: value.place)
      return nil
    }
    return number
  }

  /// A core of a computer that has `count`, or nobody knows how many.
  mutating func core(_ value: Value, of key: Key, count: Int?) -> Int? {
    guard let core = number(value, in: 0...(Limits.cores - 1), of: key) else { return nil }
    if let count, core >= count {
      add(.resource(.noSuchCore(core, count: count)), at: value.place)
      return nil
    }
    return core
  }

  /// A number, or a range of them.
  mutating func numbers(_ value: Value, in range: ClosedRange<Int>, of key: Key) -> ClosedRange<Int>? {
    let bounds = value.text.split(separator: "-", omittingEmptySubsequences: false).map { Self.decimal(String($0)) }
    guard bounds.count <= 2, let first = bounds.first ?? nil, let last = bounds.last ?? nil, range.contains(first),
      range.contains(last)
    else {
      add(.word(.badNumbers(value.text, key: key.name, range: range)), at: value.place)
      return nil
    }
    guard first <= last else {
      add(.word(.backwards(first, last)), at: value.place)
      return nil
    }
    return first...last
  }

  /// One of the words that a key allows.
  mutating func word(_ value: Value, of key: Key) -> String? {
    let choices =
      switch key.form {
      case .word(let words): words
      case .flag: ["true", "false"]
      case .choice(let numbers): numbers.map(String.init)
      default: [String]()
      }
    guard choices.contains(value.text) else {
      add(.word(.unknownWord(value.text, key: key.name, choices: choices)), at: value.place)
      return nil
    }
    return value.text
  }

  /// A serial port, by its name or its first I/O port; of the latter somebody must say the `interrupt`: `nil` if nobody
  /// did, and in it `nil` if that was wrong.
  mutating func uart(_ value: Value, interrupt: Int??) -> UART? {
    var uart = UART(named: value.text)
    if uart == nil, matches(value.text, .text(pattern: Pattern.uart, maximum: nil)),
      let port = Int(value.text.dropFirst(2), radix: 16)
    {
      guard UART.isPossible(port: port) else {
        add(.word(.badPort(value.text)), at: value.place)
        return nil
      }
      guard let interrupt else {
        add(.word(.portWithoutInterrupt(value.text)), at: value.place)
        return nil
      }
      uart = UART(port: UInt16(port), interrupt: interrupt ?? 0)
    }
    guard var uart else {
      add(.word(.badUART(value.text)), at: value.place)
      return nil
    }
    switch interrupt {
    case nil: return uart
    case .some(nil): return nil
    case .some(let number?):
      uart.interrupt = number
      return uart
    }
  }

  mutating func commandLine(_ value: Value) -> String? {
    if let scalar = value.text.unicodeScalars.first(where: { !(0x20...0x7e).contains($0.value) }) {
      add(.word(.commandLineCharacter(scalar.value)), at: value.place)
      return nil
    }
    guard value.text.utf8.count <= Limits.commandLine else {
      add(.word(.commandLineTooLong(count: value.text.utf8.count)), at: value.place)
      return nil
    }
    return value.text
  }

  /// A number in plain decimal digits: no sign, no `0x`, no leading zero.
  private static func decimal(_ text: String) -> Int? {
    guard text.wholeMatch(of: /0|[1-9][0-9]*/) != nil else { return nil }
    return Int(text)
  }
}
