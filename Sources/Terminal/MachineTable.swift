// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// What every VM had used up at one time: two of them make a rate.
struct ActivitySample {
  var taken: UInt64 = 0
  var exits: InlineArray<16, UInt64> = InlineArray(repeating: 0)
  var ticks: InlineArray<16, UInt64> = InlineArray(repeating: 0)
}

/// The lines of `@l`.
enum MachineTable {
  static var header: LogLine { "    name              state        uptime     memory  exits/s    CPU  core  starts" }

  /// One VM: `exits` and `ticks` in `period` ticks.
  static func row(
    number: Int, hasKeyboard: Bool, machine: ConsoleMachine, status: DomainStatus,
    exits: UInt64, ticks: UInt64, period: UInt64, now: UInt64, frequency: UInt64
  ) -> LogLine {
    var line = LogLine()
    line.append(number: UInt64(number), to: 2)
    line.append(hasKeyboard ? "* " : "  ")
    line.append(machine.name)
    line.pad(to: 22)
    line.append(DomainState(rawValue: status.state).description)
    line.pad(to: 33)
    let isRunning = status.state == DomainState.running.rawValue
    line.append(uptime: isRunning ? (now &- min(status.startedAt, now)) / max(frequency, 1) : nil, to: 43)
    line.append(number: machine.memory / .MiB, to: 50)
    line.append(" MiB")
    let period = max(period, 1)
    line.append(number: scaled(exits, by: frequency, over: period), to: 63)
    let share = scaled(ticks, by: 1000, over: period)
    line.append(number: share / 10, to: 68)
    line.append(".")
    line.append(magnitude: share % 10, radix: 10)
    line.append("%")
    line.append(number: UInt64(status.core), to: 77)
    line.append(number: UInt64(status.starts), to: 85)
    return line
  }

  /// `value * factor / divisor` without overflow.
  private static func scaled(_ value: UInt64, by factor: UInt64, over divisor: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: factor)
    guard product.high < divisor else { return .max }
    return divisor.dividingFullWidth(product).quotient
  }
}

extension DomainState? {
  /// The word that people read.
  var description: StaticString {
    switch self {
    case .idle: "not begun"
    case .running: "running"
    case .stopped: "off"
    case .crashed: "crashed"
    case nil: "unknown"
    }
  }
}

extension LogLine {
  /// Adds blanks up to `column`.
  mutating func pad(to column: Int) {
    while count < min(column, Self.capacity) { append(byte: 0x20) }
  }

  /// Adds a number whose last digit is in the column before `column`, with at least one blank before it if it is long.
  mutating func append(number: UInt64, to column: Int) {
    var digits = 1
    var rest = number / 10
    while rest > 0 {
      digits += 1
      rest /= 10
    }
    pad(to: column - digits)
    append(magnitude: number, radix: 10)
  }

  /// Adds a time as 1d 02:03:04, ending before `column`; a dash if there is none.
  fileprivate mutating func append(uptime seconds: UInt64?, to column: Int) {
    guard let seconds else {
      pad(to: column - 1)
      append("-")
      return
    }
    let days = seconds / 86_400
    if days > 0 {
      append(number: days, to: column - 10)
      append("d ")
    }
    pad(to: column - 8)
    append(magnitude: seconds % 86_400 / 3600, radix: 10, width: 2)
    append(":")
    append(magnitude: seconds % 3600 / 60, radix: 10, width: 2)
    append(":")
    append(magnitude: seconds % 60, radix: 10, width: 2)
  }
}
