// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What is measured.
enum Metric: String, CaseIterable {
  case boot = "one guest: power-on to shell, s"
  case loop = "one guest: CPU loop, s"
  case exitsPerTick = "one guest, idle: exits per tick"
  case allUp = "four guests: all at their prompts, s"
  case idleCPU = "four guests, idle: emulator CPU s in 20 s"
  case ping = "two of four guests: ping, ms"
  case tcp = "two of four guests: TCP, MB/s"
  case loopback = "one of four guests: TCP by loopback, MB/s"
  case tcpOfLoopback = "TCP between two / by loopback in one"
  case cardTCP = "one guest with a network card: TCP, MB/s"
  case cardExits = "one guest with a network card: exits per interrupt"
  case diskRead = "one guest with a disk: sequential read, MB/s"
  case diskWrite = "one guest with a disk: sequential write, MB/s"
  case diskSingle = "one guest with a disk: 4 KiB reads, one at a time, 1/s"
  case diskQueued = "one guest with a disk: 4 KiB reads all over it, 32 at a time, 1/s"

  /// A value that must hold: so many times what `reference` measures, or so much.
  struct Bound {
    /// Which side of it is right.
    enum Side: String {
      case atMost = "<="
      case atLeast = ">="
    }

    var side = Side.atMost
    let factor: Double
    let reference: Subject?

    func holds(_ value: Double) -> Bool {
      switch side {
      case .atMost: value <= factor
      case .atLeast: value >= factor
      }
    }
  }

  /// What is promised; `nil` for what is measured only to compare with.
  var bound: Bound? {
    switch self {
    case .boot: Bound(factor: 1.4, reference: .bare)
    case .loop: Bound(factor: 1.15, reference: .bare)
    case .exitsPerTick: Bound(factor: 1.2, reference: nil)
    case .allUp, .idleCPU: Bound(factor: 1.0 / 3, reference: .kvm)
    case .ping: Bound(factor: 0.25, reference: .kvm)
    case .tcp: Bound(side: .atLeast, factor: 5, reference: .kvm)
    case .tcpOfLoopback: Bound(side: .atLeast, factor: 0.4, reference: nil)
    case .cardTCP: Bound(side: .atLeast, factor: 1.2, reference: .kvm)
    case .diskRead, .diskWrite, .diskQueued: Bound(side: .atLeast, factor: 2, reference: .kvm)
    case .diskSingle: Bound(side: .atLeast, factor: 3, reference: .kvm)
    case .loopback, .cardExits: nil
    }
  }
}

/// All values of all rounds.
struct Measurements {
  private var values: [Metric: [Subject: [Double]]] = [:]
  /// Exits per second of one Roost guest by reason, while it boots and while it is idle; last round.
  var exitsBooting: [String: Double] = [:]
  var exitsIdle: [String: Double] = [:]
  /// Ticks of the time-stamp counter that the kernel spent on an exit; last round.
  var kernelTicksPerExit: Double?
  /// What moving data cost two Roost guests and their switch, by what was done; last round.
  var networkCosts: [NetworkCost] = []
  /// Bytes of memory that belong to no guest.
  var memoryOutsideGuests: Double?

  mutating func add(_ value: Double, _ metric: Metric, _ subject: Subject) {
    values[metric, default: [:]][subject, default: []].append(value)
  }

  func all(_ metric: Metric, _ subject: Subject) -> [Double] { values[metric]?[subject] ?? [] }

  func mean(_ metric: Metric, _ subject: Subject) -> Double? {
    let all = all(metric, subject)
    return all.isEmpty ? nil : all.reduce(0, +) / Double(all.count)
  }
}

/// Counters of a hypervisor at one time, by name: all exits as `exits`, and those of each reason.
struct Counters {
  var values: [String: Double] = [:]

  /// Reads `name=value` words.
  init(_ text: some StringProtocol) {
    for word in text.split(whereSeparator: \.isWhitespace) {
      let parts = word.split(separator: "=")
      if parts.count == 2, let value = Double(parts[1]) { values[String(parts[0]), default: 0] += value }
    }
  }

  /// All of both, by name.
  func merging(_ other: Counters) -> Counters {
    var sum = self
    sum.values.merge(other.values, uniquingKeysWith: +)
    return sum
  }

  /// What was added since `earlier`, per second of a span of `seconds`.
  func rates(since earlier: Counters, seconds: Double) -> [String: Double] {
    values.filter { !Counters.absolute.contains($0.key) }
      .mapValues { $0 / seconds }
      .merging(earlier.values.mapValues { -$0 / seconds }) { $0 + $1 }
      .filter { !Counters.absolute.contains($0.key) }
  }

  /// Names of what is no running count.
  private static let absolute: Set = [
    "kernel_ticks_per_exit", "memory_outside_guests", "guest_ticks", "vmm_ticks", "calls", "notifications",
  ]
}
