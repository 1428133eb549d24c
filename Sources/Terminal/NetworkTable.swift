// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// The lines of `@n`: switches and their ports. What a switch wrote is a claim, and its names may hold anything.
enum NetworkTable {
  /// The kernel knows the switch's name and state, whatever became of the switch.
  static func heading(_ status: DomainStatus, ports: Int) -> LogLine {
    let state = DomainState(rawValue: status.state).description
    var line: LogLine = "switch \(status.name): \(state), started \(times: status.starts)"
    line.appendLiteral(ports == 0 ? ", no card is on it" : "")
    return line
  }

  /// Columns of the longest name of a port.
  static func nameWidth(_ counters: SwitchCounters) -> Int {
    var width = 4
    for index in 0..<counters.usedPorts {
      var name = LogLine()
      name.append(nameOf: counters.ports[index])
      width = max(width, name.count)
    }
    return width
  }

  static func header(width: Int) -> LogLine {
    var line: LogLine = "  port"
    let columns = Columns(width)
    line.pad(to: columns.state)
    line.appendLiteral("state")
    line.append("sent", to: columns.sent)
    line.append("bytes", to: columns.sentBytes)
    line.append("received", to: columns.delivered)
    line.append("bytes", to: columns.deliveredBytes)
    line.append("interrupts", to: columns.interrupts)
    line.append("kicks", to: columns.kicks)
    return line
  }

  static func row(_ port: PortCounters, width: Int) -> LogLine {
    var line: LogLine = "  "
    let columns = Columns(width)
    line.append(nameOf: port)
    line.pad(to: columns.state)
    line.appendLiteral(PortState(rawValue: port.state).description)
    line.append(number: port.sent, to: columns.sent)
    line.append(bytes: port.sentBytes, to: columns.sentBytes)
    line.append(number: port.delivered, to: columns.delivered)
    line.append(bytes: port.deliveredBytes, to: columns.deliveredBytes)
    line.append(number: port.interrupts, to: columns.interrupts)
    line.append(number: port.kicks, to: columns.kicks)
    return line
  }

  /// Where the columns begin (the state) or end (numbers).
  private struct Columns {
    let state: Int
    var sent: Int { state + 16 }
    var sentBytes: Int { sent + 9 }
    var delivered: Int { sentBytes + 10 }
    var deliveredBytes: Int { delivered + 9 }
    var interrupts: Int { deliveredBytes + 12 }
    var kicks: Int { interrupts + 10 }

    init(_ nameWidth: Int) { state = 2 + nameWidth + 2 }
  }
}

extension PortState? {
  /// The word that people read.
  fileprivate var description: StaticString {
    switch self {
    case .down: "down"
    case .up: "up"
    case .failed: "failed"
    case nil: "unknown"
    }
  }
}

extension RefusalReason {
  /// Why, for people.
  var words: StaticString {
    switch self {
    case .malformed: "malformed, or longer than the card allows"
    case .spoofed: "the source address is not the card's"
    case .vlan: "the VLAN is not one of the port's"
    case .noReceiver: "nobody else is there to get them"
    case .local: "the receiver is on the same port"
    }
  }
}

extension LossReason {
  /// Why, for people.
  var words: StaticString {
    switch self {
    case .full: "its driver gave no buffers for too long"
    case .down: "no driver uses the card"
    case .tooLong: "longer than its driver takes"
    case .filtered: "the card's filter does not want them"
    case .unsupported: "its driver does not take them in one piece"
    }
  }
}

extension LogLine {
  /// Adds the VM's name and the card's, as far as they are printable.
  fileprivate mutating func append(nameOf port: PortCounters) {
    append(printable: port.machine)
    appendLiteral(" eth")
    append(magnitude: UInt64(port.card), radix: 10)
  }
}
