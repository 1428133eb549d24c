// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Bus

/// How many interrupts a source may send.
@Suite struct BudgetTests {
  /// Ticks of a second, of a window, and of the time between interrupts of a source.
  private let second: UInt64 = 2_300_000_000
  private var window: UInt64 { second / InterruptBudget.windowsInSecond }

  /// Sends `rate` interrupts a second for a number of seconds. → how often the source was held
  private func holds(_ kind: InterruptBudget.Kind, rate: UInt64, seconds: UInt64) -> Int {
    var budget = InterruptBudget(kind)
    var holds = 0
    for number in 0..<rate * seconds {
      let now = 77_000 + number * second / rate
      _ = budget.release(now: now)
      if budget.take(now: now, second: second) != .deliver { holds += 1 }
    }
    return holds
  }

  @Test func `no honest card or port is held back`() {
    #expect(holds(.message, rate: 100_000, seconds: 1) == 0)
    #expect(holds(.line, rate: 23_040, seconds: 1) == 0)
  }

  @Test func `a storm is held back to the end of its window, and named once`() {
    var budget = InterruptBudget(.message)
    var named = 0
    var taken: UInt64 = 0
    for number in 0..<1_000_000 as Range<UInt64> {
      let now = second + number * 2_300
      _ = budget.release(now: now)
      guard !budget.isHeld else { continue }
      taken += 1
      if budget.take(now: now, second: second) == .hold(isFirst: true) { named += 1 }
    }
    #expect(named == 1)
    #expect((100_000...101_100).contains(taken), "a million a second, for one")
  }

  @Test func `a source is open again when its window is over, and not before`() {
    var budget = InterruptBudget(.line)
    let start = 5 * second
    for _ in 0..<InterruptBudget.Kind.line.most { #expect(budget.take(now: start, second: second) == .deliver) }
    #expect(budget.take(now: start, second: second) == .hold(isFirst: true))
    #expect(budget.heldUntil == start + window)

    #expect(budget.release(now: start + window - 1) == false)
    #expect(budget.release(now: start + window) == true)
    #expect(!budget.isHeld)
    #expect(budget.release(now: start + window) == false, "once")
    #expect(budget.take(now: start + window, second: second) == .deliver)
  }

  @Test func `what was on its way when its source was masked is delivered`() {
    var budget = InterruptBudget(.message)
    while budget.take(now: second, second: second) == .deliver {}
    for _ in 1..<InterruptBudget.mostOnTheWay { #expect(budget.take(now: second, second: second) == .deliver) }
    #expect(!budget.isStopped)
  }

  @Test func `who sends on though it is masked is switched off until its owner starts anew`() {
    var budget = InterruptBudget(.message)
    while budget.take(now: second, second: second) == .deliver {}
    while budget.take(now: second, second: second) == .deliver {}
    #expect(budget.isStopped)
    #expect(budget.take(now: second, second: second) == .stop(isFirst: false), "named once")
    #expect(budget.release(now: 2 * second) == false, "it stays off")
    #expect(budget.take(now: 100 * second, second: second) == .stop(isFirst: false))

    budget.forget()
    #expect(budget.take(now: 100 * second, second: second) == .deliver)
  }

  @Test func `a line that nobody wants is named once`() {
    var budget = InterruptBudget(.line)
    var named: [Int] = []
    for number in 1...1000 {
      let now = UInt64(number) * second
      #expect(budget.take(now: now, second: second) == .deliver)
      if budget.takeUnwanted(now: now, second: second) { named.append(number) }
      #expect(budget.heldUntil == now + second / 100, "10 ms")
      #expect(budget.release(now: now + second / 100 - 1) == false)
      #expect(budget.release(now: now + second / 100) == true)
    }
    #expect(named == [100])
  }

  @Test func `a line that is wanted now and then is not named`() {
    var budget = InterruptBudget(.line)
    for number in 1...1000 {
      if number % 50 == 0 { budget.noteWanted() }
      #expect(budget.takeUnwanted(now: UInt64(number) * second, second: second) == false)
    }
  }

  @Test func `counters that are about to wrap round hold nobody for ever`() {
    var budget = InterruptBudget(.line)
    #expect(budget.take(now: .max, second: second) == .deliver)
    #expect(budget.take(now: second, second: second) == .deliver)
    #expect(!budget.isHeld)
  }
}
