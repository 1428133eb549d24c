// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver

/// `bench [ROUNDS] [SUBJECT...] [SCENE...]`: measures each subject once in each round, in turn, so that a slow minute of
/// this computer hits all alike. Only ratios mean anything, and below a quarter they are noise.
@main
struct Bench {
  private let rounds: Int
  private let subjects: [Subject]
  private let scenes: [Scene]
  private var results = Measurements()

  static func main() async throws {
    var bench = Bench(CommandLine.arguments.dropFirst())
    try await Material.make(bench.subjects)
    for round in 1...bench.rounds { try await bench.measure(round: round) }

    let report = Report(measurements: bench.results, subjects: bench.subjects)
    if report.hasValues { print(report.table()) }
    if bench.subjects.contains(.roost), bench.scenes == Scene.allCases {
      print("", report.exits(), report.network(), report.sizes(), separator: "\n")
      for line in try await DiskCounts.measure() { print(line) }
    }
    try await bench.count()
    exit(report.holds ? 0 : 1)
  }

  private init(_ arguments: some Collection<String>) {
    rounds = max(arguments.first.flatMap { Int($0) } ?? 1, 1)
    let named = arguments.compactMap { Subject(rawValue: $0) }
    subjects = named.isEmpty ? Subject.allCases : named
    let wanted = arguments.compactMap { Scene(rawValue: $0) }
    scenes = wanted.isEmpty ? Scene.allCases : wanted
  }

  /// Prints what is counted, once: it is the same in each round.
  private func count() async throws {
    if subjects.contains(.roost), scenes.contains(.exits) {
      Bench.say("Roost, \(Scene.exits.title)")
      for line in try await ExitCosts.measure() { print(line) }
    }
    guard scenes.contains(.counts) else { return }
    Bench.say(Scene.counts.title)
    for line in try await WorkCounts.measure(subjects) { print(line) }
  }

  private mutating func measure(round: Int) async throws {
    for subject in subjects {
      for scene in scenes { try await measure(subject, scene, round: round) }
    }
  }

  private mutating func measure(_ subject: Subject, _ scene: Scene, round: Int) async throws {
    switch scene {
    case .one:
      try await attempt(subject, scene, round: round, until: .exitsPerTick) { try await $0.measureOne(&$1) }
    case .card:
      try await attempt(subject, scene, round: round, until: .cardTCP) { try await $0.measureCard(&$1) }
    case .disk:
      try await attempt(subject, scene, round: round, until: .diskQueued) { try await $0.measureDisk(&$1) }
    case .four:
      if subject == .bare { return }
      try await attempt(subject, scene, round: round, until: .tcpOfLoopback) {
        try await $0.measureAll(&$1)
        try await $0.measureNetwork(&$1)
      }
    case .exits, .counts: break
    }
  }

  /// Runs `body` on a session, and again if the emulated computer dies before `last` was measured: nested KVM on two
  /// emulated cores does now and then. What it yielded before counts.
  private mutating func attempt(
    _ subject: Subject, _ scene: Scene, round: Int, until last: Metric,
    _ body: (Session, inout Measurements) async throws -> Void
  ) async throws {
    Bench.say("Round \(round) of \(rounds): \(subject.title), \(scene.title)")
    let before = results.all(last, subject).count
    var trials = 0
    while true {
      let session = try await Session(subject, scene)
      do {
        try await body(session, &results)
        await session.end()
        return
      } catch let failure as ConsoleFailure {
        await session.end()
        trials += 1
        let reason = "\(failure)".prefix { $0 != "\n" }
        Bench.say("\(subject.title), \(scene.title), attempt \(trials): \(reason)")
        if subject != .kvm || trials == 6 { throw failure }
        if results.all(last, subject).count > before { return }
      }
    }
  }

  /// A remark for whoever waits.
  private static func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
