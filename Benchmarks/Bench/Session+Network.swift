// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

extension Session {
  /// Bytes of a MiB, in millions.
  static var megabytes: Double { 1.048576 }

  /// TCP and ping between vm0 and vm1 while the others idle, and TCP inside vm0.
  func measureNetwork(_ results: inout Measurements) async throws {
    machine.type("network\n")
    try await machine.expect("BENCH network", within: .seconds(120))
    results.networkCosts = []
    try await measurePing(&results)
    // Long enough to tell, at the speed of each.
    let size = subject == .kvm ? 16 : 128
    let speed = try await transfer("tcp", size, "TCP with offloads", &results)
    let inside = try await transfer("loopback", 2 * size, nil, &results)
    results.add(speed, .tcp, subject)
    results.add(inside, .loopback, subject)
    results.add(speed / inside, .tcpOfLoopback, subject)
    if subject == .roost { _ = try await transfer("plain", 16, "TCP without offloads", &results) }
  }

  private func measurePing(_ results: inout Measurements) async throws {
    let before = try await networkCounters()
    machine.type("ping\n")
    let answer = try await machine.expect(.wholeLine(#"BENCH ping ([0-9.]+)"#), within: .seconds(120))
    guard let time = answer.captures.first.flatMap({ Double($0) }) else { throw machine.transcript.failure("No time") }
    results.add(time, .ping, subject)
    let after = try await networkCounters()
    if subject == .roost {
      results.networkCosts.append(NetworkCost(title: "ping", bytes: nil, before: before, after: after))
    }
  }

  /// Has vm0 send `size` MiB.
  /// - Parameter title: What to call it in the list of costs; `nil` to leave it out.
  /// - Returns: MB/s.
  private func transfer(
    _ word: String, _ size: Int, _ title: String?, _ results: inout Measurements
  ) async throws -> Double {
    let before = try await networkCounters()
    machine.type("\(word) \(size)\n")
    let begin = try await machine.expect(.wholeLine("BENCH \(word) begin"), within: .seconds(60))
    let end = try await machine.expect(.wholeLine("BENCH \(word) end"), within: .seconds(300))
    if subject == .roost, let title {
      let after = try await networkCounters()
      results.networkCosts.append(
        NetworkCost(title: title, bytes: Double(size) * 1_048_576, before: before, after: after))
    }
    return Double(size) * Session.megabytes / (end.time - begin.time).seconds
  }

  /// Of vm0 and vm1, with their ports.
  private func networkCounters() async throws -> Counters {
    guard subject == .roost else { return Counters("") }
    var sum = Counters("")
    for number in 0...1 {
      sum = sum.merging(try await askCounters(of: number))
      machine.type("@n \(number)")
      let ports = try await machine.expect(.wholeLine("NET vm\(number) ports="))
      // Its kicks are those that woke the switch; the kernel's count, above, has them all.
      let lines = ports.before.replacing(" kicks=", with: " wakes=")
      sum = sum.merging(Counters(lines))
    }
    return sum
  }
}
