// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Storage

/// Fair queueing: nobody starves, whoever asks for how much.
struct FairQueueTests {
  /// VMs that always have something to ask for, and a disk that finishes commands in order of their issue.
  private final class Simulation {
    var queue: FairQueue<8>
    var now: UInt64 = 0
    /// Bytes of each owner's requests; 0 for none.
    var sizes: [UInt64]
    var served: [UInt64]
    var longestWait: [Int]
    private var waiting: [Int]
    private var running: [(owner: Int, bytes: UInt64)] = []
    private let slots: Int

    init(slots: Int, sizes: [UInt64]) {
      queue = FairQueue(slots: slots)
      self.slots = slots
      self.sizes = sizes
      served = sizes.map { _ in 0 }
      longestWait = served.map { _ in 0 }
      waiting = longestWait
    }

    /// Fills the slots, then lets the disk finish one command.
    func step() {
      offer()
      loop: while true {
        switch queue.next(now: now) {
        case .issue(let owner):
          #expect(sizes[owner] > 0)
          running.append((owner, sizes[owner]))
          served[owner] += sizes[owner]
          for other in sizes.indices where sizes[other] > 0 { waiting[other] += 1 }
          longestWait[owner] = max(longestWait[owner], waiting[owner])
          waiting[owner] = 0
          offer()
        case .wait(let time):
          #expect(time > now)
          if running.isEmpty { now = time } else { break loop }
        case .nobody: break loop
        }
      }
      #expect(running.count <= slots)
      guard !running.isEmpty else { return }
      let (owner, bytes) = running.removeFirst()
      now += bytes + 1000
      queue.finish(owner, bytes: bytes)
    }

    private func offer() {
      for owner in sizes.indices where sizes[owner] > 0 && !queue.hasOffer(owner) {
        queue.offer(owner, bytes: sizes[owner])
      }
    }

    func issued(_ owner: Int) -> Int { queue.issuedCount(owner) }
  }

  @Test(arguments: [1, 2, 31, 32])
  func `equals get the same`(slots: Int) {
    let simulation = Simulation(slots: slots, sizes: [65536, 65536, 65536])
    for _ in 0..<3000 { simulation.step() }
    let least = simulation.served.min() ?? 0
    #expect(least > 0)
    #expect((simulation.served.max() ?? 0) - least <= 65536 * UInt64(slots))
  }

  @Test(arguments: [1, 2, 8, 32])
  func `one who asks for much does not starve those who ask for little`(slots: Int) {
    let simulation = Simulation(slots: slots, sizes: [4 << 20, 4096, 65536, 512])
    for _ in 0..<5000 { simulation.step() }
    // In bytes, with what each command costs, all had the same to within one request of the largest size each.
    let costs = zip(simulation.served, simulation.sizes).map { $0 / $1 * ($1 + FairQueue<8>.commandCost) }
    let slack = UInt64(slots + 1) * (4 << 20)
    #expect((costs.max() ?? 0) - (costs.min() ?? 0) <= slack)
    // The small ones never wait for more than one of the large.
    for owner in 1..<4 { #expect(simulation.longestWait[owner] <= 3 * slots + 64) }
  }

  @Test func `one alone may have all slots, and gives them up to a newcomer`() {
    let simulation = Simulation(slots: 32, sizes: [1 << 20, 0])
    simulation.step()
    simulation.step()
    #expect(simulation.issued(0) == 31)

    simulation.sizes[1] = 4096
    simulation.step()
    #expect(simulation.issued(1) == 1)
    for _ in 0..<100 { simulation.step() }
    #expect(simulation.issued(0) <= 1)
    simulation.sizes[1] = 0
    simulation.queue.withdraw(1)
    for _ in 0..<100 { simulation.step() }
    #expect(simulation.issued(0) == 31)
  }

  @Test func `a newcomer's request is the next that is issued`() {
    var queue = FairQueue<4>(slots: 4)
    for _ in 0..<4 {
      queue.offer(0, bytes: 1 << 20)
      #expect(queue.next(now: 0) == .issue(0))
    }
    queue.offer(0, bytes: 1 << 20)
    queue.offer(3, bytes: 4 << 20)
    #expect(queue.next(now: 0) == .nobody)
    queue.finish(0, bytes: 1 << 20)
    #expect(queue.next(now: 0) == .issue(3))
    queue.finish(0, bytes: 1 << 20)
    // Two megabytes are still on their way.
    #expect(queue.next(now: 0) == .nobody)
  }

  @Test func `a pause earns no credit`() {
    var queue = FairQueue<2>(slots: 1)
    for _ in 0..<1000 {
      queue.offer(0, bytes: 65536)
      #expect(queue.next(now: 0) == .issue(0))
      queue.finish(0, bytes: 65536)
    }
    var turns: [FairQueue<2>.Turn] = []
    for _ in 0..<20 {
      for owner in 0..<2 where !queue.hasOffer(owner) { queue.offer(owner, bytes: 65536) }
      let turn = queue.next(now: 0)
      turns.append(turn)
      if case .issue(let owner) = turn { queue.finish(owner, bytes: 65536) }
    }
    #expect(turns.filter { $0 == .issue(0) }.count == 10)
  }

  @Test func `what is withdrawn is not issued`() {
    var queue = FairQueue<2>(slots: 1)
    queue.offer(1, bytes: 512)
    queue.withdraw(1)
    #expect(queue.next(now: 0) == .nobody)
    queue.offer(1, bytes: 512)
    #expect(queue.next(now: 0) == .issue(1))
  }

  // MARK: - Rates

  @Test func `a rate is kept to, and the others have the rest`() {
    let simulation = Simulation(slots: 4, sizes: [65536, 65536])
    simulation.queue.limit(0, bytesPerSecond: 100_000_000, burst: 1 << 20)
    for _ in 0..<20000 { simulation.step() }

    let seconds = Double(simulation.now) / 1e9
    let rate = Double(simulation.served[0]) / seconds
    #expect((99e6...102e6).contains(rate), "\(rate)")
    #expect(simulation.served[1] > 7 * simulation.served[0])
  }

  @Test func `with nobody else the disk waits for the rate`() {
    let simulation = Simulation(slots: 4, sizes: [1_000_000])
    simulation.queue.limit(0, bytesPerSecond: 1_000_000, burst: 0)
    for _ in 0..<100 { simulation.step() }
    let seconds = Double(simulation.now) / 1e9
    #expect((95...105).contains(Double(simulation.served[0]) / 1e6 - seconds + 100), "\(seconds)")
  }

  @Test func `a request larger than the burst goes, and is paid for after`() {
    var queue = FairQueue<1>(slots: 1)
    queue.limit(0, bytesPerSecond: 1_000_000, burst: 4096)
    queue.offer(0, bytes: 1_000_000)
    #expect(queue.next(now: 5_000) == .issue(0))
    queue.finish(0, bytes: 1_000_000)
    queue.offer(0, bytes: 512)
    #expect(queue.next(now: 6_000) == .wait(until: 1_000_005_000 - 4_096_000))
    #expect(queue.next(now: 1_000_005_000 - 4_096_000) == .issue(0))
  }

  @Test func `no number of bytes or of a rate upsets the arithmetic`() {
    var queue = FairQueue<2>(slots: 1)
    for rate in [1, 3, 1 << 40, .max] as [UInt64] {
      queue.limit(0, bytesPerSecond: rate, burst: .max)
      queue.limit(1, bytesPerSecond: rate, burst: 0)
      for _ in 0..<4 {
        for owner in 0..<2 where !queue.hasOffer(owner) { queue.offer(owner, bytes: .max) }
        if case .issue(let owner) = queue.next(now: .max) { queue.finish(owner, bytes: .max) }
      }
    }
  }

  @Test func `random VMs all get on`() {
    for seed in 0..<UInt64(fuzzRounds(20)) {
      var random = SplitMix64(seed: seed)
      let simulation = Simulation(
        slots: Int.random(in: 1...32, using: &random),
        sizes: (0..<8).map { _ in 512 << UInt64.random(in: 0...13, using: &random) })
      for _ in 0..<200 {
        let owner = Int.random(in: 1..<8, using: &random)
        simulation.sizes[owner] = 512 << UInt64.random(in: 0...13, using: &random)
        for _ in 0..<5 { simulation.step() }
      }
      #expect(simulation.served.allSatisfy { $0 > 0 }, "seed \(seed)")
      #expect(simulation.longestWait.allSatisfy { $0 < 5000 }, "seed \(seed)")
    }
  }
}
