// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Switching

/// Receive buffers: merged or single, of all shapes (virtio 1.2, §5.1.6.3 and §5.1.6.4).
struct BufferTests {
  private func network(_ features: UInt64, size: Int = 64, buffer: Int, cut: Int? = nil) -> TestNetwork {
    TestNetwork(2) { index in
      let card = TestCard(
        .station(index), features: index == 0 ? TestCard.all : features | TestCard.virtio, size: size,
        receiveBuffer: buffer)
      card.receiveCut = cut
      return card
    }
  }

  private func frame(_ count: Int) -> [UInt8] {
    ethernet(to: .station(1), from: .station(0), (0..<count - 14).map { UInt8(truncatingIfNeeded: $0 &* 5) })
  }

  static let shapes: [(buffer: Int, cut: Int?)] = [
    (64, nil), (100, 10), (100, 11), (100, 12), (100, 1), (13, 5), (1, nil), (11, nil),
  ]

  @Test(arguments: shapes)
  func `a frame fills as many buffers as it needs`(buffer: Int, cut: Int?) {
    let network = network(TestCard.mergeable, size: 256, buffer: buffer, cut: cut)
    for count in [14, 60, 100, 200] {
      network.cards[0].send(frame(count))
      network.run()
      // The driver cannot look into a header that is cut; so this looks at the memory as a whole.
      let got = network.cards[1].received()
      guard buffer >= 12 else { continue }
      #expect(got.map(\.bytes) == [frame(count)])
      #expect(got.map(\.buffers) == [(count + 12 + buffer - 1) / buffer])
    }
    #expect(network.port(1).delivered == 4)
  }

  @Test func `without merging a frame fits one buffer or is too long`() {
    let network = network(0, buffer: 1526, cut: 12)
    network.cards[0].send(frame(1514))
    network.cards[0].send(frame(1515))
    network.cards[0].send(frame(60))
    network.run()

    #expect(network.cards[1].received().map(\.bytes.count) == [1514, 60])
    #expect(network.port(1).lost(.tooLong) == 1)
    network.expectBalance()
  }

  @Test func `a frame that all buffers together cannot hold is too long`() {
    let network = network(TestCard.mergeable, size: 8, buffer: 100)
    network.cards[0].send(frame(789))
    network.cards[0].send(frame(788))
    network.run()

    #expect(network.cards[1].received().map(\.bytes.count) == [788])
    #expect(network.port(1).lost(.tooLong) == 1)
    #expect(network.failures == [])
  }

  @Test func `a frame that would need more buffers than the switch handles is too long`() {
    let network = network(TestCard.mergeable, size: 512, buffer: 40)
    network.cards[0].send(frame(257 * 40 - 12))
    network.cards[0].send(frame(256 * 40 - 12))
    network.run()

    #expect(network.cards[1].received().map(\.buffers) == [256])
    #expect(network.port(1).lost(.tooLong) == 1)
  }

  @Test func `the driver sees a frame of several buffers at once or not at all`() {
    let network = network(TestCard.mergeable, buffer: 100)
    network.cards[1].refills = false
    _ = network.cards[1].receive.take()
    for _ in 0..<10 {
      network.cards[0].send(frame(988))
      let before: UInt16 = network.cards[1].memory[Int(network.cards[1].receive.setup.used) + 2]
      network.serve()
      let after: UInt16 = network.cards[1].memory[Int(network.cards[1].receive.setup.used) + 2]
      #expect(after - before == 10 || after == before)
    }
    // 64 buffers are 6 frames of 10; the rest waits, and takes no buffer.
    #expect(network.cards[1].received().count == 6)
    network.cards[1].fill()
    network.run()
    #expect(network.cards[1].received().count == 4)
  }

  @Test func `a buffer without a byte breaks the rules`() {
    let network = network(TestCard.mergeable, buffer: 100)
    let card = network.cards[1]
    card.memory[Int(card.receive.setup.descriptors) + 16 * Int(63) + 8] = 0 as UInt32
    card.memory[Int(card.receive.setup.descriptors) + 8] = 0 as UInt32
    network.cards[0].send(frame(60))
    network.run()

    #expect(network.failures == ["vm1: card 0 is shut down: receive queue: a descriptor chain is too short"])
    #expect(network.events[1] == .needsReset)
    #expect(PortState(rawValue: network.port(1).state) == .failed)
    network.expectBalance()
  }
}
