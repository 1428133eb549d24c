// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Switching

/// Who waits, and for how long.
struct PolicyTests {
  static let millisecond: UInt64 = 1_000_000

  /// Three cards that know each other; card 1 has no receive buffers left.
  private func starved(_ features: UInt64 = TestCard.all) -> TestNetwork {
    let network = TestNetwork(3) { TestCard(.station($0), features: features) }
    for index in 0..<3 { network.cards[index].send(ethernet(to: .broadcast, from: .station(index))) }
    network.run()
    network.cards.forEach { _ = $0.received() }
    network.cards[1].refills = false
    for _ in 0..<64 {
      network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
      network.run()
    }
    #expect(network.cards[1].received().count == 64)
    network.now += SentNotice.patience
    network.run()
    return network
  }

  private func number(_ value: Int) -> [UInt8] {
    ethernet(to: .station(1), from: .station(0), [UInt8(value)] + Array(repeating: 0, count: 45))
  }

  @Test(arguments: [TestCard.all, TestCard.all & ~TestCard.eventIndex])
  func `a sender waits for its receiver, which kicks when it goes on`(features: UInt64) {
    let network = starved(features)
    for value in 0..<10 { network.cards[0].send(number(value)) }
    let service = network.run()
    #expect(!service.hasMore && service.deadline == network.now + Switch.patience)
    #expect(network.port(0).sent == 65)

    network.now += 5 * Self.millisecond
    network.cards[1].fill(3)
    #expect(network.cards[1].receive.hasKicked)
    network.run()
    #expect(network.cards[1].received().map(\.bytes[14]) == [0, 1, 2])

    network.cards[1].refills = true
    network.cards[1].poll()
    #expect(network.cards[1].receive.hasKicked)
    network.run()
    #expect(network.cards[1].received().map(\.bytes[14]) == Array(3..<10))
    #expect(network.port(1).lost(.full) == 0)
    network.expectBalance()
  }

  @Test func `after 10 ms without progress frames are dropped, until there is some`() {
    let network = starved()
    for value in 0..<10 { network.cards[0].send(number(value)) }
    network.run()
    network.now += Switch.patience - 1
    #expect(network.run().deadline == network.now + 1)
    #expect(network.port(1).lost(.full) == 0)

    network.now += 1
    #expect(network.run().deadline == nil)
    #expect(network.port(1).lost(.full) == 10)
    network.cards[0].send(number(10))
    network.run()
    #expect(network.port(1).lost(.full) == 11)

    network.cards[1].fill(1)
    for value in 11..<13 { network.cards[0].send(number(value)) }
    #expect(network.run().deadline == network.now + Switch.patience)
    #expect(network.cards[1].received().map(\.bytes[14]) == [11])
    #expect(network.port(1).lost(.full) == 11)
    network.expectBalance()
  }

  @Test func `who waits does not hold up others, and floods do not wait`() {
    let network = starved()
    network.cards[0].send(number(0))
    network.run()
    network.cards[2].send(ethernet(to: .station(0), from: .station(2)))
    network.cards[2].send(ethernet(to: .broadcast, from: .station(2)))
    network.run()

    #expect(network.cards[0].received().count == 2)
    #expect(network.port(1).lost(.full) == 1)
    #expect(network.port(0).sent == 65)
    network.cards[1].fill()
    network.run()
    #expect(network.cards[1].received().map(\.bytes) == [number(0)])
    network.expectBalance()
  }

  @Test func `a receiver with too few buffers for a long frame is waited for without polling it`() {
    let network = starved()
    network.cards[1].fill(3)
    let frame = ethernet(to: .station(1), from: .station(0), Array(repeating: 1, count: 8000))
    network.cards[0].send(frame)
    #expect(!network.run().hasMore)
    network.cards[1].receive.hasKicked = false

    network.cards[1].fill(1)
    #expect(network.cards[1].receive.hasKicked)
    network.run()
    #expect(network.cards[1].received().map(\.bytes) == [frame])
  }

  @Test func `a long frame that is cut goes on where the buffers ran out`() {
    let network = TestNetwork(2) { index in
      TestCard(.station(index), features: index == 0 ? TestCard.all : TestCard.virtio, size: 8)
    }
    network.cards[1].refills = false
    let segment = TestSegment(payload: (0..<20_000).map { UInt8(truncatingIfNeeded: $0 / 1000) })
    network.cards[0].send(
      segment.frame(to: .station(1), from: .station(0), isComplete: false), header: segment.header(size: 1000))
    var got: [UInt8] = []
    for round in 0..<3 {
      #expect(network.run().deadline == (round < 2 ? network.now + Switch.patience : nil))
      got += network.cards[1].received().flatMap { $0.bytes[segment.headerLength...] }
      network.cards[1].fill()
    }

    #expect(got == segment.payload)
    #expect(network.port(1).delivered == 1 && network.port(1).lost(.full) == 0)
    network.expectBalance()
  }

  @Test func `a rate is kept, and what is above it waits`() throws {
    let network = TestNetwork(2, configure: { index, port in port.rate = index == 0 ? 8_000_000 : 0 })
    let frame = ethernet(to: .station(1), from: .station(0), Array(repeating: 0, count: 986))
    let start = network.now
    var arrived = 0
    while network.now < start + 1000 * Self.millisecond {
      while network.cards[0].send(frame) {}
      let deadline = try #require(network.run().deadline)
      #expect(deadline > network.now)
      arrived += network.cards[1].received().count
      network.now = deadline
    }
    // 1000 frames of 1000 bytes in a second, and 10 ms' worth in advance.
    #expect((1000...1012).contains(arrived))
    #expect(network.port(1).lost(.full) == 0)
    network.expectBalance()
  }

  @Test func `one call serves each port, and no port without end`() {
    let network = TestNetwork(4)
    for index in 0..<4 {
      while network.cards[index].send(
        ethernet(to: .station(index ^ 1), from: .station(index), Array(repeating: 0, count: 4000)))
      {}
    }
    var service = network.serve()
    #expect(service.hasMore)
    for index in 0..<4 { #expect((20...30).contains(network.port(index).sent)) }
    for _ in 0..<1000 where service.hasMore || service.deadline != nil {
      network.cards.forEach { $0.poll() }
      service = network.serve()
    }
    for index in 0..<4 { #expect(network.port(index).sent == 64 && network.port(index).delivered == 64) }
  }
}
