// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

@testable import Switching

/// A switch that is lost, and cards that are reset.
struct RestartTests {
  @Test func `a stream goes on over any number of restarts`() {
    // Small queues, so that senders wait in many states; each tenth frame is long and may be cut.
    for receiver in [TestCard.all, TestCard.virtio | TestCard.mergeable, TestCard.virtio] {
      let network = TestNetwork(2) { index in
        TestCard(.station(index), features: index == 0 ? TestCard.all : receiver, size: 32)
      }
      var random = SplitMix64(seed: 3)
      var next = 0
      var numbers: [UInt32] = []
      for _ in 0..<2000 {
        let segment = segment(next)
        let header = segment.header(size: segment.payload.count > 1000 ? 500 : 0)
        if network.cards[0].send(
          segment.frame(to: .station(1), from: .station(0), isComplete: false), header: header)
        {
          next += 1
        }
        if Bool.random(using: &random) { network.serve() }
        if Int.random(in: 0..<5, using: &random) == 0 { network.restart() }
        if Int.random(in: 0..<3, using: &random) == 0 { numbers += take(network) }
        network.cards[0].poll()
      }
      for _ in 0..<10 {
        network.run()
        numbers += take(network)
      }
      expectComplete(numbers, next)
      #expect(network.counters.starts > 300)
      network.expectBalance()
    }
  }

  /// Frame `index` of the stream, whose payload begins with its number, as does each segment of it.
  private func segment(_ index: Int) -> TestSegment {
    let count = index % 10 == 9 ? 2000 : 4
    let payload = (0..<count).map { wire(UInt32(index))[$0 % 4] }
    return TestSegment(tcpOptions: 0, payload: payload)
  }

  private func take(_ network: TestNetwork) -> [UInt32] {
    network.cards[1].received().map { frame in
      frame.bytes[54..<58].reduce(0) { $0 << 8 | UInt32($1) }
    }
  }

  /// All numbers in order; one may come again, if its frame was cut when the switch was lost.
  private func expectComplete(_ numbers: [UInt32], _ count: Int) {
    #expect(count > 500)
    #expect(Set(numbers).count == count)
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(numbers.allSatisfy { Int($0) < count })
  }

  @Test func `frames that were not published are sent again after a restart, once`() {
    let network = TestNetwork(2)
    for value in 0..<5 {
      network.cards[0].send(
        ethernet(to: .station(1), from: .station(0), [UInt8(value)] + Array(repeating: 0, count: 45)))
    }
    // A switch that traps in its turn has published nothing: as if it had not begun.
    network.restart()
    network.run()
    #expect(network.cards[1].received().map(\.bytes[14]) == [0, 1, 2, 3, 4])
    #expect(network.counters.starts == 2)
  }

  @Test func `counters go on where the last switch stopped`() {
    let network = TestNetwork(2)
    network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
    network.run()
    network.restart()
    network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
    network.run()

    #expect(network.port(0).sent == 2 && network.port(1).delivered == 2)
    #expect(network.counters.name == "lan" && network.counters.portCount == 2)
    #expect(network.port(1).machine == "vm1")
  }

  @Test func `a new switch reminds drivers whom the old one may not have interrupted`() {
    let network = TestNetwork(2)
    network.run()
    network.events = [.none, .none]
    network.restart()
    network.run()
    #expect(network.events[1].contains(.queue(0)) && network.events[1].contains(.queue(1)))
  }

  @Test func `a card that is reset while its frames wait starts afresh`() {
    let network = TestNetwork(2)
    network.cards[1].refills = false
    for _ in 0..<20 {
      network.cards[0].send(ethernet(to: .station(1), from: .station(0), Array(repeating: 0, count: 30_000)))
    }
    network.run()
    #expect(network.port(1).delivered == 4)
    network.engine.detach(0, counters: &network.counters)
    #expect(network.run().deadline == nil)
    #expect(PortState(rawValue: network.port(0).state) == .down)

    let fresh = TestCard(.station(0))
    fresh.fill()
    network.engine.attach(fresh.setup, to: 0, memory: fresh.memory.memory, counters: &network.counters)
    fresh.send(ethernet(to: .station(1), from: .station(0)))
    network.cards[1].poll()
    network.cards[1].fill()
    network.run()
    #expect(network.cards[1].received().last?.bytes.count == 60)
    network.expectBalance()
  }

  @Test func `after a reset nothing of the card's memory is touched`() {
    let network = TestNetwork(2)
    network.run()
    network.engine.detach(1, counters: &network.counters)
    let memory = network.cards[1].memory
    let before = memory.bytes(0, count: memory.size)
    network.cards[0].send(ethernet(to: .broadcast, from: .station(0)))
    network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
    network.run(polling: false)
    #expect(memory.bytes(0, count: memory.size) == before)
  }
}
