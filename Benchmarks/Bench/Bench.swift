// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver

/// `bench [ROUNDS] [SUBJECT...]`: measures each subject once in each round, in turn, so that a slow minute of this
/// computer hits all alike. Only ratios mean anything, and below a quarter they are noise.
@main
struct Bench {
  private let rounds: Int
  private let subjects: [Subject]
  private var results = Measurements()

  static func main() async throws {
    var bench = Bench(CommandLine.arguments.dropFirst())
    try await Material.make(bench.subjects)
    for round in 1...bench.rounds { try await bench.measure(round: round) }

    let report = Report(measurements: bench.results, subjects: bench.subjects)
    print(report.table())
    if bench.subjects.contains(.roost) {
      print("", report.exits(), report.network(), report.sizes(), separator: "\n")
      for line in try await DiskCounts.measure() { print(line) }
    }
    exit(report.holds ? 0 : 1)
  }

  private init(_ arguments: some Collection<String>) {
    rounds = max(arguments.first.flatMap { Int($0) } ?? 1, 1)
    let named = arguments.compactMap { Subject(rawValue: $0) }
    subjects = named.isEmpty ? Subject.allCases : named
  }

  private mutating func measure(round: Int) async throws {
    for subject in subjects {
      Bench.say("Round \(round) of \(rounds): \(subject.title), one guest")
      try await attempt(subject, guests: 1, until: .exitsPerTick) { try await $0.measureOne(&$1) }
      if subject == .bare { continue }
      Bench.say("Round \(round) of \(rounds): \(subject.title), four guests")
      try await attempt(subject, guests: 4, until: .tcpOfLoopback) {
        try await $0.measureAll(&$1)
        try await $0.measureNetwork(&$1)
      }
    }
  }

  /// Runs `body` on a session, and again if the emulated computer dies before `last` was measured: nested KVM on two
  /// emulated cores does now and then. What it yielded before counts.
  private mutating func attempt(
    _ subject: Subject, guests: Int, until last: Metric,
    _ body: (Session, inout Measurements) async throws -> Void
  ) async throws {
    let before = results.all(last, subject).count
    var trials = 0
    while true {
      let session = try await Session(subject, guests: guests)
      do {
        try await body(session, &results)
        await session.end()
        return
      } catch let failure as ConsoleFailure {
        await session.end()
        trials += 1
        let reason = "\(failure)".prefix { $0 != "\n" }
        Bench.say("\(subject.title), \(guests) guests, attempt \(trials): \(reason)")
        if subject != .kvm || trials == 6 { throw failure }
        if results.all(last, subject).count > before { return }
      }
    }
  }

  /// A remark for whoever waits.
  private static func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
