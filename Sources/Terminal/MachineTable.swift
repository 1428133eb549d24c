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
    line.appendLiteral(hasKeyboard ? "* " : "  ")
    line.append(machine.name)
    line.pad(to: 22)
    line.appendLiteral(DomainState(rawValue: status.state).description)
    line.pad(to: 33)
    let isRunning = status.state == DomainState.running.rawValue
    line.append(uptime: isRunning ? (now &- min(status.startedAt, now)) / max(frequency, 1) : nil, to: 41)
    line.append(number: machine.memory / .MiB, to: 48)
    line.appendLiteral(" MiB")
    let period = max(period, 1)
    line.append(number: scaled(exits, by: frequency, over: period), to: 61)
    let share = scaled(ticks, by: 1000, over: period)
    line.append(number: share / 10, to: 65)
    line.appendLiteral(".")
    line.append(magnitude: share % 10, radix: 10)
    line.appendLiteral("%")
    line.append(number: UInt64(status.core), to: 74)
    line.append(number: UInt64(status.starts), to: 82)
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
    case .coreless: "no core"
    case nil: "unknown"
    }
  }
}

extension LogLine {
  /// Adds a time as 1d 02:03:04, ending before `column`; a dash if there is none.
  fileprivate mutating func append(uptime seconds: UInt64?, to column: Int) {
    guard let seconds else {
      pad(to: column - 1)
      appendLiteral("-")
      return
    }
    let days = seconds / 86_400
    if days > 0 {
      append(number: days, to: column - 10)
      appendLiteral("d ")
    }
    pad(to: column - 8)
    append(magnitude: seconds % 86_400 / 3600, radix: 10, width: 2)
    appendLiteral(":")
    append(magnitude: seconds % 3600 / 60, radix: 10, width: 2)
    appendLiteral(":")
    append(magnitude: seconds % 60, radix: 10, width: 2)
  }
}
