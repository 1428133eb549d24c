// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// What `@n N` says of one port.
struct PortReport {
  /// The switch and the port, like `lan vm1.eth0`.
  let name: String
  private var values: [String: Int] = [:]

  subscript(_ name: String) -> Int { values[name] ?? 0 }

  /// All counters whose names begin with `prefix`.
  func sum(_ prefix: String) -> Int { values.filter { $0.key.hasPrefix(prefix) }.values.reduce(0, +) }

  fileprivate init(_ name: String) { self.name = name }

  /// Takes the fields of a line.
  fileprivate mutating func read(_ words: some Sequence<Substring>) {
    for word in words {
      let parts = word.split(separator: "=")
      if parts.count == 2, let value = Int(parts[1]) { values[String(parts[0])] = value }
    }
  }
}

extension TestMachine {
  /// What the console counts of each port of VM `number`, its cards in order.
  func ports(of number: Int) async throws -> [PortReport] {
    type("@n \(number)")
    let end = try await expect(.wholeLine(#"NET vm\#(number) ports=(\d+)"#))
    var reports: [PortReport] = []
    for line in end.before.split(whereSeparator: \.isNewline) {
      guard let found = line.firstMatch(of: /NET switch=(\S+) port=(\S+) (.*)/) else { continue }
      let name = "\(found.1) \(found.2)"
      if reports.last?.name != name { reports.append(PortReport(name)) }
      reports[reports.count - 1].read(found.3.split(separator: " "))
    }
    try #require(end.captures == ["\(reports.count)"], "each port is told of once")
    return reports.sorted { $0.name < $1.name }
  }

  /// The port of VM `number` on `lan`.
  func port(of number: Int) async throws -> PortReport { try #require(try await ports(of: number).first) }

  /// All frames that were sent are accounted for: at each port, and over all ports of the switch `lan`.
  func expectThatCountersAddUp() async throws {
    var fault: String?
    // A frame may cross between the looks at two ports: then look again.
    for _ in 0..<10 {
      var all: [PortReport] = []
      for number in FourOnASwitch.numbers { all.append(try await port(of: number)) }
      fault = difference(all)
      if fault == nil { return }
    }
    Issue.record("\(fault ?? "")")
  }

  /// What does not add up.
  private func difference(_ all: [PortReport]) -> String? {
    for port in all where port["sent"] != port["forwarded"] + port.sum("refused_") { return "\(port)" }
    let copies = all.reduce(0) { $0 + $1["copies"] }
    let received = all.reduce(0) { $0 + $1["delivered"] }
    let lost = all.reduce(0) { $0 + $1.sum("lost_") }
    return copies == received + lost ? nil : "\(copies) copies, \(received) received, \(lost) lost"
  }
}
