// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// Time is counted in ticks of the counter's clock. A counter never runs tick by tick: it remembers the tick of its
// last load (`origin`) and says from the ticks since then what its count, its output and its edges are.
//
//   control word ─► waiting for a count ─► (modes 0, 2, 3, 4) running ◄─ gate ─► paused (modes 0, 4) or idle (2, 3)
//                                      └─► (modes 1, 5) idle ─ gate rises ─► running
//
// A count written while a counter of mode 2 or 3 runs takes effect when its period, or half of it, ends: `next`.

/// One counter of an 8254 (Intel 8254 data sheet, "Mode definitions"), without its bus interface.
///
/// Ticks are signed, because a count may be loaded in the middle of a period that began before tick 0.
struct IntervalCounter: Sendable {
  enum Mode: UInt8, Sendable {
    case terminalCount = 0, oneShot, rateGenerator, squareWave, softwareStrobe, hardwareStrobe

    /// The mode of a control word's three bits, the first of which modes 2 and 3 ignore.
    init(bits: UInt8) {
      switch bits & 7 {
      case 0: self = .terminalCount
      case 1: self = .oneShot
      case 4: self = .softwareStrobe
      case 5: self = .hardwareStrobe
      default: self = bits & 1 == 0 ? .rateGenerator : .squareWave
      }
    }

    var isPeriodic: Bool { self == .rateGenerator || self == .squareWave }
    var startsByGate: Bool { self == .oneShot || self == .hardwareStrobe }
  }

  private enum State {
    /// No count yet, or no trigger, or stopped by the gate.
    case idle
    /// Loaded at the tick `origin`.
    case running(origin: Int64)
    /// Held by the gate, this long after its load.
    case paused(elapsed: Int64)
  }

  /// A load that a running period holds up.
  private struct Load {
    var origin: Int64
    var edge: Int64
    var count: Int64
  }

  /// Undefined when the power comes on; this one's output is high, so that the first control word makes no edge.
  private(set) var mode = Mode.squareWave
  private(set) var isDecimal = false
  private var state = State.idle
  /// The count written last, in ticks: 1 to 65536, or to 10000 in decimal.
  private var count: Int64 = 65536
  private var next: Load?
  private var hasCount = false
  private var gate: Bool
  /// The ticks up to which edges were counted.
  private var settled: Int64 = 0
  /// Rising edges of the output that nobody took yet.
  private var edges: UInt64 = 0

  init(gate: Bool) { self.gate = gate }

  /// How many values the count runs through.
  private var modulus: Int64 { isDecimal ? 10_000 : 65_536 }

  /// Ticks of a period; a count of one is not allowed in modes 2 and 3 and counts as two.
  private var period: Int64 { max(count, 2) }

  /// Ticks of a square wave's first, high part.
  private static func highTicks(_ period: Int64) -> Int64 { (period + 1) / 2 }

  // MARK: - Programming

  /// The control word: stops counting and sets the output to the mode's initial level.
  mutating func program(mode: Mode, isDecimal: Bool, at tick: Int64) {
    settle(at: tick)
    let wasHigh = output(at: tick)
    self.mode = mode
    self.isDecimal = isDecimal
    state = .idle
    next = nil
    hasCount = false
    if !wasHigh, output(at: tick) { edges += 1 }
  }

  /// The first byte of a count of two: mode 0 stops until the second (data sheet, "Mode 0").
  mutating func expectCount(at tick: Int64) {
    guard mode == .terminalCount else { return }
    settle(at: tick)
    state = .idle
    hasCount = false
  }

  /// A whole count; 0 is the largest.
  mutating func load(_ value: UInt16, at tick: Int64) {
    settle(at: tick)
    let ticks = isDecimal ? Self.decoded(value) % 10_000 : Int64(value)
    let new = ticks == 0 ? modulus : ticks
    if mode.isPeriodic, case .running(let origin) = state {
      let (edge, newOrigin) = boundary(after: tick, origin: origin, newPeriod: max(new, 2))
      next = Load(origin: newOrigin, edge: edge, count: new)
      return
    }
    count = new
    let isFirst = !hasCount
    hasCount = true
    switch mode {
    case .oneShot, .hardwareStrobe: break
    case .rateGenerator, .squareWave: if isFirst, gate { state = .running(origin: tick + 1) }
    case .terminalCount, .softwareStrobe: state = gate ? .running(origin: tick + 1) : .paused(elapsed: 0)
    }
  }

  /// Where a new count of a periodic mode takes effect: the end of the period, or of the half of a square wave.
  private func boundary(after tick: Int64, origin: Int64, newPeriod: Int64) -> (edge: Int64, origin: Int64) {
    // Not even loaded yet: the new count just takes the old one's place.
    guard tick >= origin else { return (origin, origin) }
    let phase = (tick - origin) % period
    let start = tick - phase
    let high = Self.highTicks(period)
    guard mode == .squareWave, phase < high else { return (start + period, start + period) }
    return (start + high, start + high - Self.highTicks(newPeriod))
  }

  /// The gate input.
  mutating func setGate(_ isHigh: Bool, at tick: Int64) {
    guard isHigh != gate else { return }
    settle(at: tick)
    let wasHigh = output(at: tick)
    gate = isHigh
    guard hasCount else { return }
    switch (mode, state) {
    case (.terminalCount, .running(let origin)), (.softwareStrobe, .running(let origin)):
      state = .paused(elapsed: max(tick - origin, 0))
    case (.terminalCount, .paused(let elapsed)), (.softwareStrobe, .paused(let elapsed)):
      state = .running(origin: tick - elapsed)
    case (.rateGenerator, _), (.squareWave, _):
      if let next { count = next.count }
      next = nil
      state = isHigh ? .running(origin: tick + 1) : .idle
    case (.oneShot, _), (.hardwareStrobe, _):
      if isHigh { state = .running(origin: tick + 1) }
    default: break
    }
    if !wasHigh, output(at: tick) { edges += 1 }
  }

  // MARK: - Reading

  /// Whether the count written last is not in the counter yet (status bit 6, "null count").
  func isLoadPending(at tick: Int64) -> Bool {
    if !hasCount || next != nil { return true }
    switch state {
    case .idle: return true
    case .running(let origin): return tick < origin
    case .paused: return false
    }
  }

  /// The counter's own value, as the bus sees it.
  func value(at tick: Int64) -> UInt16 {
    let left: Int64
    let elapsed = elapsed(at: tick) ?? 0
    switch mode {
    case .rateGenerator: left = period - elapsed % period
    case .squareWave:
      let phase = elapsed % period
      let high = Self.highTicks(period)
      left = (period & ~1) - 2 * (phase < high ? phase : phase - high)
    default:
      let rest = (count - elapsed) % modulus
      left = rest < 0 ? rest + modulus : rest
    }
    let shown = left % modulus
    return isDecimal ? Self.encoded(shown) : UInt16(truncatingIfNeeded: shown)
  }

  /// OUT.
  func output(at tick: Int64) -> Bool {
    guard let elapsed = elapsed(at: tick) else { return mode != .terminalCount }
    switch mode {
    case .terminalCount, .oneShot: return elapsed >= count
    case .rateGenerator: return elapsed % period != period - 1
    case .squareWave: return elapsed % period < Self.highTicks(period)
    case .softwareStrobe, .hardwareStrobe: return elapsed != count
    }
  }

  /// Ticks since the load; `nil` if there is no count running.
  private func elapsed(at tick: Int64) -> Int64? {
    switch state {
    case .idle: nil
    case .running(let origin): max(tick - origin, 0)
    case .paused(let elapsed): elapsed
    }
  }

  // MARK: - Edges

  /// Takes the rising edges of OUT up to `tick`.
  mutating func takeEdges(at tick: Int64) -> UInt64 {
    settle(at: tick)
    defer { edges = 0 }
    return edges
  }

  /// The tick of the first rising edge that was not counted yet.
  var nextEdge: Int64? {
    guard case .running(let origin) = state else { return nil }
    guard mode.isPeriodic else {
      let edge = onlyEdge(origin)
      return settled < edge ? edge : nil
    }
    let edge = origin + ((settled - origin) / period + 1) * period
    if let next, next.edge < edge { return next.origin + max(next.count, 2) }
    return edge
  }

  /// The ticks at which a count of mode 0 begins and ends.
  var countdown: (start: Int64, end: Int64)? {
    guard mode == .terminalCount, case .running(let origin) = state else { return nil }
    return (origin, onlyEdge(origin))
  }

  /// The rising edge of a mode that is not periodic.
  private func onlyEdge(_ origin: Int64) -> Int64 {
    origin + (mode == .softwareStrobe || mode == .hardwareStrobe ? count + 1 : count)
  }

  /// Counts the edges up to `tick` and lets a held-up count take effect.
  private mutating func settle(at tick: Int64) {
    guard tick > settled else { return }
    if let load = next, load.edge <= tick {
      countEdges(upTo: load.edge)
      next = nil
      count = load.count
      state = .running(origin: load.origin)
    }
    countEdges(upTo: tick)
  }

  private mutating func countEdges(upTo tick: Int64) {
    guard tick > settled else { return }
    defer { settled = tick }
    guard case .running(let origin) = state else { return }
    if mode.isPeriodic {
      // A load in the middle of a wave has its origin, which is no edge, before `settled`.
      let before = max(settled - origin, 0) / period
      edges &+= UInt64(max(tick - origin, 0) / period - before)
    } else if settled < onlyEdge(origin), onlyEdge(origin) <= tick {
      edges += 1
    }
  }

  // MARK: - Decimal counts

  private static func decoded(_ value: UInt16) -> Int64 {
    let ones = Int64(value & 0xf) + 10 * Int64(value >> 4 & 0xf)
    return ones + 100 * Int64(value >> 8 & 0xf) + 1000 * Int64(value >> 12)
  }

  private static func encoded(_ value: Int64) -> UInt16 {
    let number = UInt16(truncatingIfNeeded: value)
    let high = (number / 1000 % 10) << 12 | (number / 100 % 10) << 8
    return high | (number / 10 % 10) << 4 | number % 10
  }
}
