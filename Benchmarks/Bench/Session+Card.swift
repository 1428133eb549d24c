// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

extension Session {
  /// TCP from this computer to a guest, through a network card that the guest has for itself, and what the card's
  /// interrupts cost.
  func measureCard(_ results: inout Measurements) async throws {
    try await machine.expect(.wholeLine("BENCH up"), within: .seconds(180))
    machine.type("card\n")
    try await machine.expect("BENCH card", within: .seconds(120))
    // Long enough to tell, at the speed of each.
    let size = (subject == .kvm ? 8 : 32) << 20
    let server = try ContentServer([UInt8](repeating: 0, count: size))
    let before = subject == .roost ? try await askCounters() : nil
    let (begin, end) = try await span("download", server.port)
    results.add(Double(size) / 1_000_000 / (end.time - begin.time).seconds, .cardTCP, subject)

    guard subject != .bare, let first = interrupts(begin), let last = interrupts(end), last > first else { return }
    let from = if let before { before } else { try await counters(in: begin) }
    let to = try await counters(in: end)
    let exits = (to.values["exits"] ?? 0) - (from.values["exits"] ?? 0)
    results.add(exits / (last - first), .cardExits, subject)
  }

  private func interrupts(_ match: Match) -> Double? {
    match.line.firstMatch(of: /download \w+ (\d+)/).flatMap { Double($0.1) }
  }
}
