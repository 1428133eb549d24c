// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

/// One run of one subject: booted, measured, ended.
struct Session {
  let subject: Subject
  let scene: Scene
  let machine: TestMachine

  /// Boots it, with `more` of QEMU's arguments.
  init(_ subject: Subject, _ scene: Scene, _ more: [String] = []) async throws {
    self.subject = subject
    self.scene = scene
    machine = try await subject.boot(scene, more)
  }

  func end() async { await machine.end() }

  /// Power-on to the first program of one guest, its CPU loop, and its exits while it is idle.
  func measureOne(_ results: inout Measurements) async throws {
    let up = try await machine.expect(.wholeLine("BENCH up"), within: .seconds(180))
    results.add((up.time - machine.started).seconds, .boot, subject)
    let booted = try await counters(in: up)
    if subject == .roost { results.exitsBooting = booted.rates(since: Counters(""), seconds: elapsed(to: up)) }

    let (begin, end) = try await span("loop")
    results.add((end.time - begin.time).seconds, .loop, subject)
    try await measureIdle(&results)
  }

  /// Power-on to the prompts of all guests, and the processor time that they take doing nothing.
  func measureAll(_ results: inout Measurements) async throws {
    let prompts = (0..<scene.guests).map { Pattern.line(#"vm\#($0)\b.*BENCH up"#) }
    let times = try await machine.expectAll(prompts, within: .seconds(150)).map(\.time)
    let last = times.max() ?? machine.started
    results.add((last - machine.started).seconds, .allUp, subject)

    // Let the guests finish what they began; then nobody touches anything.
    try await Task.sleep(for: .seconds(5))
    let before = machine.processorTime
    try await Task.sleep(for: .seconds(20))
    results.add((machine.processorTime - before).seconds, .idleCPU, subject)
    try await expectAnswers()
  }

  /// Idle guests are idle, and not dead.
  private func expectAnswers() async throws {
    machine.type("hello\n")
    try await machine.expect("BENCH hello")
    if machine.transcript.text.contains("BENCH lost") { throw machine.transcript.failure("A guest was lost") }
  }

  private func measureIdle(_ results: inout Measurements) async throws {
    let before = subject == .roost ? try await askCounters() : nil
    let (begin, end) = try await span("idle")
    guard subject != .bare, let first = ticks(begin), let last = ticks(end), last > first else { return }
    var from = try await counters(in: begin)
    let to = try await counters(in: end)
    // Roost is asked in between lines: its counters span the same ticks and the two lines' characters.
    if let before { from = before }
    let exits = (to.values["exits"] ?? 0) - (from.values["exits"] ?? 0)
    results.add(exits / (last - first), .exitsPerTick, subject)
    guard subject == .roost else { return }
    results.exitsIdle = to.rates(since: from, seconds: (end.time - begin.time).seconds)
    results.kernelTicksPerExit = to.values["kernel_ticks_per_exit"]
    results.memoryOutsideGuests = to.values["memory_outside_guests"]
  }

  /// Has vm0 do something that it says the begin and end of.
  func span(_ word: String, _ number: UInt16? = nil) async throws -> (Match, Match) {
    machine.type(word + (number.map { " \($0)" } ?? "") + "\n")
    let begin = try await machine.expect(.wholeLine("BENCH \(word) begin"), within: .seconds(60))
    return (begin, try await machine.expect(.wholeLine("BENCH \(word) end"), within: .seconds(300)))
  }

  /// The counters that belong to a line: on it with KVM, asked for with Roost.
  func counters(in match: Match) async throws -> Counters {
    switch subject {
    case .bare: return Counters("")
    case .kvm: return Counters(match.line)
    case .roost: return try await askCounters()
    }
  }

  /// What Roost counted of VM `number`.
  func askCounters(of number: Int = 0) async throws -> Counters {
    machine.type("@s\(number)")
    var lines: [Match] = []
    for _ in 0..<4 { lines.append(try await machine.expect(.wholeLine("STATS vm\(number) (.*=.*)"))) }
    lines.append(try await machine.expect(.wholeLine("STATS system (.*=.*)")))
    return Counters(lines.map { $0.captures.joined() }.joined(separator: " "))
  }

  private func elapsed(to match: Match) -> Double { (match.time - machine.started).seconds }

  private func ticks(_ match: Match) -> Double? {
    match.line.firstMatch(of: /idle \w+ (\d+)/).flatMap { Double($0.1) }
  }
}

extension Duration {
  /// As a number.
  var seconds: Double { self / .seconds(1) }
}
