// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

@testable import Switching

/// Who wakes whom: kicks only while the switch sleeps, interrupts only when the driver wants them.
struct KickTests {
  static let ways = [TestCard.all, TestCard.all & ~TestCard.eventIndex]

  @Test(arguments: ways)
  func `a driver kicks when the switch sleeps, and not while it is awake`(features: UInt64) {
    let network = TestNetwork(2) { TestCard(.station($0), features: features) }
    network.run()
    let frame = ethernet(to: .station(1), from: .station(0))
    let card = network.cards[0]
    card.send(frame)
    #expect(card.transmit.hasKicked)
    card.transmit.hasKicked = false

    for _ in 0..<63 { card.send(ethernet(to: .station(1), from: .station(0), Array(repeating: 0, count: 4000))) }
    #expect(network.serve().hasMore)
    card.poll()
    card.transmit.hasKicked = false
    card.send(frame)
    #expect(!card.transmit.hasKicked)
    network.run()
    card.send(frame)
    #expect(card.transmit.hasKicked)
  }

  @Test(arguments: ways)
  func `a driver that fills its receive queue does not kick while nobody waits`(features: UInt64) {
    let network = TestNetwork(2) { TestCard(.station($0), features: features) }
    network.run()
    for _ in 0..<200 {
      network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
      network.cards[1].receive.hasKicked = false
      network.serve()
      network.cards[1].poll()
      #expect(!network.cards[1].receive.hasKicked)
      network.cards[0].poll()
    }
  }

  @Test func `an interrupt comes once for a batch, and only to a driver that wants it`() {
    let network = TestNetwork(2) { TestCard(.station($0), features: TestCard.all & ~TestCard.eventIndex) }
    network.run()
    let before = network.port(1).interrupts
    network.events = [.none, .none]
    for _ in 0..<10 { network.cards[0].send(ethernet(to: .station(1), from: .station(0))) }
    let service = network.serve()
    #expect(service.signalled == .port(0) | .port(1))
    #expect(network.events == [.queue(1), .queue(0)])
    #expect(network.port(1).interrupts == before + 1)
    #expect(service.deadline == nil)

    let card = network.cards[1]
    card.memory[Int(card.receive.setup.available)] = 1 as UInt16
    network.cards[0].memory[Int(network.cards[0].transmit.setup.available)] = 1 as UInt16
    network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
    #expect(network.serve().signalled == .none)
    #expect(card.received().count == 11)
  }

  @Test(arguments: ways)
  func `a sender hears of a few frames late, of many at once, and not of those it has seen to be gone`(
    features: UInt64
  ) {
    let network = TestNetwork(2) { TestCard(.station($0), features: features, size: 128) }
    network.run()
    network.events = [.none, .none]
    let card = network.cards[0]
    func send(_ count: Int) { for _ in 0..<count { card.send(ethernet(to: .station(1), from: .station(0))) } }

    send(3)
    let start = network.now
    #expect(network.serve().deadline == start + SentNotice.patience)
    #expect(network.events[0] == .none && network.events[1] == .queue(0))
    network.now = start + SentNotice.patience - 1
    #expect(network.serve().deadline == start + SentNotice.patience)
    #expect(network.events[0] == .none)
    network.now += 1
    #expect(network.serve().deadline == nil)
    #expect(network.events[0] == .queue(1))
    card.poll()

    // A queue of 128 takes six frames of twenty descriptors.
    network.events[0] = .none
    send(3)
    network.serve()
    #expect(network.events[0] == .none)
    send(1)
    #expect(network.serve().deadline == nil)
    #expect(network.events[0] == .queue(1))
    card.poll()

    network.events[0] = .none
    send(1)
    network.serve()
    card.poll()
    if features & TestCard.eventIndex != 0 {
      card.memory[Int(card.transmit.setup.available) + 4 + 2 * 128] = card.transmit.usedSeen &+ 40
    } else {
      card.memory[Int(card.transmit.setup.available)] = 1 as UInt16
    }
    network.now += SentNotice.patience
    #expect(network.serve().deadline == nil)
    #expect(network.events[0] == .none)
  }

  @Test func `a card that goes away takes along what its driver was to hear`() {
    let network = TestNetwork(2)
    network.run()
    network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
    network.engine.detach(0, counters: &network.counters)
    network.attach(0)
    network.serve()
    network.engine.detach(0, counters: &network.counters)
    network.now += SentNotice.patience
    #expect(network.serve().deadline == nil)
  }

  @Test func `with event indices the interrupt is for the frame that the driver waits for`() {
    let network = TestNetwork(2)
    network.run()
    let card = network.cards[1]
    network.events = [.none, .none]
    let event = Int(card.receive.setup.available) + 4 + 2 * 64
    card.memory[event] = card.receive.usedSeen &+ 2
    for round in 0..<4 {
      network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
      network.serve()
      #expect(network.events[1].contains(.queue(0)) == (round == 2))
      network.events[1] = .none
    }
  }

  @Test func `a frame that comes while the switch falls asleep is not left behind`() {
    // The driver makes a frame available at each possible moment: before each call, kicked for or not.
    for features in Self.ways {
      let network = TestNetwork(2) { TestCard(.station($0), features: features, size: 16) }
      var random = SplitMix64(seed: 7)
      var sent = 0
      var arrived = 0
      var isAwake = true
      for _ in 0..<6000 {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: if network.cards[0].send(ethernet(to: .station(1), from: .station(0))) { sent += 1 }
        case 1: arrived += network.cards[1].received().count
        case 2: network.cards[0].poll()
        default: break
        }
        let queues = network.cards.flatMap { [$0.receive, $0.transmit] }
        if queues.contains(where: \.hasKicked) { isAwake = true }
        queues.forEach { $0.hasKicked = false }
        if isAwake { isAwake = network.serve().hasMore }
      }
      while isAwake || network.cards.contains(where: { $0.receive.hasKicked || $0.transmit.hasKicked }) {
        isAwake = network.run().hasMore
      }
      arrived += network.cards[1].received().count
      #expect(sent > 500 && arrived == sent)
    }
  }
}
