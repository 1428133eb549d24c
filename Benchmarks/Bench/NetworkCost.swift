// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What it cost two Roost guests and the switch between them to move data: differences of counters.
struct NetworkCost {
  /// What was done, for people.
  let title: String
  /// Bytes that the client sent on purpose; `nil` where packets are what counts.
  let bytes: Double?
  let before: Counters
  let after: Counters

  /// Frames that both guests sent, and what happened for them.
  var frames: Double { difference("sent") }

  /// One line: per frame, and per 64 KiB where there is much.
  var line: String {
    var parts = ["per frame " + counts(frames)]
    if let bytes { parts.append("per 64 KiB " + counts(bytes / 65536)) }
    return "Roost, \(title): \(Int(frames)) frames; \(parts.joined(separator: "; "))"
  }

  private func counts(_ units: Double) -> String {
    let names = [
      ("exits", "exits"), ("kicks", "kicks"), ("notifications", "notifications"), ("interrupts", "interrupts"),
    ]
    return names.map { "\(Report.text(units > 0 ? difference($1) / units : 0)) \($0)" }.joined(separator: ", ")
  }

  private func difference(_ name: String) -> Double { (after.values[name] ?? 0) - (before.values[name] ?? 0) }
}
