// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

/// What stands behind the two ratios that differ from computer to computer, in counts that do not: of the CPU loop, and
/// of four idle guests.
enum WorkCounts {
  /// Measures what `subjects` have of it.
  /// - Returns: Lines.
  static func measure(_ subjects: [Subject]) async throws -> [String] {
    var lines: [String] = []
    for subject in subjects where subject != .kvm {
      let counts = try await countLoop(subject)
      lines.append("\(subject.title), CPU loop: \(loopLine(counts, subject))")
    }
    for subject in subjects where subject != .bare {
      let counts = try await countIdle(subject)
      lines.append("\(subject.title), four idle guests, per second: \(idleLine(counts, seconds: idleSeconds))")
    }
    return lines
  }

  // MARK: - The CPU loop

  private static func countLoop(_ subject: Subject) async throws -> Counts {
    let counting = try Counting(subject, .pages)
    let session = try await Session(subject, .one, counting.arguments)
    try await session.machine.expect(.wholeLine("BENCH up"), within: .seconds(600))
    session.machine.type("loop\n")
    try await session.machine.expect(.wholeLine("BENCH loop begin"), within: .seconds(60))
    let before = try counting.read()
    try await session.machine.expect(.wholeLine("BENCH loop end"), within: .seconds(600))
    let after = try counting.read()
    await session.end()
    return after.since(before)
  }

  /// The guest's part is told as it is; ours for each exit, of which a second has as many as the guest has ticks.
  private static func loopLine(_ counts: Counts, _ subject: Subject) -> String {
    guard subject != .bare else {
      let all = Report.text(counts.instructions / 1_000_000)
      return "\(all) million instructions, \(Int(counts.flushes)) times all addresses forgotten"
    }
    return "\(Report.text(counts.guest / 1_000_000)) million instructions of the guest; for each exit "
      + eachExit(counts, [], [("pages", counts.pages), ("blocks looked up anew", counts.lookups)])
  }

  // MARK: - Idle guests

  private static let idleSeconds = 20

  private static func countIdle(_ subject: Subject) async throws -> Counts {
    let counting = try Counting(subject)
    let session = try await Session(subject, .four, counting.arguments)
    let prompts = (0..<Scene.four.guests).map { Pattern.line(#"vm\#($0)\b.*BENCH up"#) }
    try await session.machine.expectAll(prompts, within: .seconds(900))
    try await Task.sleep(for: .seconds(5))
    let before = try counting.read()
    try await Task.sleep(for: .seconds(idleSeconds))
    let after = try counting.read()
    await session.end()
    return after.since(before)
  }

  private static func idleLine(_ counts: Counts, seconds: Int) -> String {
    func rate(_ count: Double) -> String { Report.text(count / Double(seconds)) }
    return "\(rate(counts.exits)) exits, \(rate(counts.halts)) halts of a processor,"
      + " \(rate(counts.instructions / 1_000_000)) million instructions; for each exit "
      + eachExit(counts, [("of guests", counts.guest)], [("blocks looked up anew", counts.lookups)])
  }

  /// What comes with an exit: `instructions` beside ours, and `refilling` that the emulator then has to do.
  private static func eachExit(
    _ counts: Counts, _ instructions: [(String, Double)], _ refilling: [(String, Double)]
  ) -> String {
    func words(_ parts: [(String, Double)]) -> String {
      parts.map { "\(Report.text($0.1 / max(counts.exits, 1))) \($0.0)" }.joined(separator: ", ")
    }
    let all = [("instructions of the kernel", counts.kernel), ("of the VMM", counts.vmm), ("of others", counts.others)]
    return words(all + instructions) + "; " + words([("times all addresses forgotten", counts.flushes)] + refilling)
  }
}
