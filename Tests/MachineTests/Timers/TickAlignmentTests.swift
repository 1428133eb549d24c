// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Machine

/// A guest whose ticks are a period apart in its own time, each seen a little late.
private struct TickingGuest {
  var alignment: TickAlignment
  let period: UInt64
  /// When its time was 0, on the machine's clock.
  var start: UInt64 = 60_000_000_000
  /// Its next tick, in its own time.
  var due: UInt64
  var random = SplitMix64(seed: 3)
  /// By how much its time was set ahead, each time.
  var steps: [UInt64] = []

  init(processor: UInt8 = 0, period: UInt64 = 4_000_000, first: UInt64) {
    alignment = TickAlignment(processor: processor)
    self.period = period
    due = first
  }

  /// Where its ticks fall in a period of the machine's clock.
  var place: UInt64 { (start + due) % period }

  /// Sleeps until so many ticks, each up to `jitter` late.
  mutating func tick(_ count: Int, jitter: UInt64 = 0) {
    for _ in 0..<count {
      let late = UInt64.random(in: 0...jitter, using: &random)
      if alignment.endsRow(due: due + late), let step = alignment.step(start: start) {
        steps.append(step)
        start -= step
      }
      due += period
    }
  }
}

@Suite struct TickAlignmentTests {
  @Test(arguments: [UInt64(1_000_000), 3_333_333, 4_000_000, 10_000_000])
  func `ticks fall on the grid of their period after one step`(period: UInt64) {
    var guest = TickingGuest(period: period, first: 7 * period + period / 3)

    guest.start = 60 * period
    guest.tick(100)

    #expect(guest.steps == [period / 3])
    #expect(guest.place == 0)
  }

  @Test func `two guests of a core tick together, and those of other cores do not`() {
    let places = [UInt8(0), 0, 1, 2, 3].enumerated().map { index, processor in
      var guest = TickingGuest(processor: processor, first: 50_000_000 + UInt64(index) * 777_777)
      guest.tick(60)
      return guest.place
    }

    #expect(places == [0, 0, 2_000_000, 1_000_000, 3_000_000])
  }

  @Test func `time is set ahead by less than a tick, and never back`() {
    for place in stride(from: UInt64(0), to: 4_000_000, by: 30_011) {
      var guest = TickingGuest(processor: 5, first: 90_000_000 + place)
      guest.tick(400)
      #expect(guest.steps.count <= 1)
      #expect(guest.steps.allSatisfy { $0 < guest.period })
    }
  }

  @Test func `a tick that is seen late counts for what it usually is`() {
    var guest = TickingGuest(first: 81_500_000)

    guest.tick(64, jitter: 100_000)

    #expect(guest.steps.count == 1)
    #expect(abs(Int64(guest.place) - 4_000_000 + 50_000) < 40_000)
  }

  @Test func `ticks that begin anew are aligned anew, after four times as many each time`() {
    var guest = TickingGuest(first: 81_500_000)
    var looked: [Int] = []
    for count in 0..<6_000 {
      let before = guest.steps.count
      guest.tick(1)
      if guest.steps.count != before { looked.append(count) }
      // Something moves the guest's ticks all the time: a clock that is disciplined.
      guest.due += 600
    }

    #expect(guest.steps.count <= 5)
    #expect(zip(looked, looked.dropFirst()).allSatisfy { $1 - $0 >= 60 })
  }

  @Test func `a sleeper without ticks is left alone`() {
    var alignment = TickAlignment(processor: 0)
    var due: UInt64 = 5_000_000
    var random = SplitMix64(seed: 9)
    var rows = 0
    for _ in 0..<2_000 {
      // Whatever the waits are: never sixteen in a row of one period.
      for _ in 0..<15 {
        due += 4_000_000
        if alignment.endsRow(due: due) { rows += 1 }
      }
      due += UInt64.random(in: 5_000_000...9_000_000, using: &random)
      if alignment.endsRow(due: due) { rows += 1 }
    }
    #expect(rows == 0)
  }

  @Test func `times that make no sense do no harm`() {
    var alignment = TickAlignment(processor: 255)
    var random = SplitMix64(seed: 4)
    for _ in 0..<fuzzRounds(20_000) {
      let due = Bool.random(using: &random) ? random.next() : random.next() % 100_000_000
      if alignment.endsRow(due: due), let step = alignment.step(start: random.next()) { #expect(step < 10_000_000) }
    }
    for due in [0, .max, 0, 1, .max - 1, .max] as [UInt64] { _ = alignment.endsRow(due: due) }
  }
}
