// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

@testable import Switching

/// Who gets a frame.
struct ForwardingTests {
  @Test func `a frame to an unknown station goes to all, its answer only to the one who asked`() {
    let network = TestNetwork(3)
    network.cards[2].setup.filter.modes = .promiscuous
    network.attach(2)
    let question = ethernet(to: .station(1), from: .station(0))
    let answer = ethernet(to: .station(0), from: .station(1))

    network.cards[0].send(question)
    network.run()
    #expect(network.cards[1].received().map(\.bytes) == [question])
    #expect(network.cards[2].received().map(\.bytes) == [question])

    network.cards[1].send(answer)
    network.run()
    network.cards[0].send(question)
    network.run()
    #expect(network.cards[0].received().map(\.bytes) == [answer])
    #expect(network.cards[1].received().map(\.bytes) == [question])
    #expect(network.cards[2].received() == [])
    network.expectBalance()
  }

  @Test(arguments: [MACAddress.broadcast, .multicast])
  func `a frame to many goes to all but its sender`(destination: MACAddress) {
    let network = TestNetwork(4)
    for card in network.cards { card.setup.filter.modes = .allMulticast }
    for index in 0..<4 { network.attach(index) }

    network.cards[1].send(ethernet(to: destination, from: .station(1)))
    network.run()

    #expect(network.cards.map { $0.received().count } == [1, 0, 1, 1])
    #expect(network.port(1).forwarded == 1 && network.port(1).copies == 3)
    network.expectBalance()
  }

  @Test func `frames of all sizes arrive as they were sent, however they are laid out`() {
    let network = TestNetwork(2)
    var random = SplitMix64(seed: 1)
    for size in [14, 15, 17, 18, 26, 60, 61, 1514, 2036, 2037, 9014, 65549, 65550] {
      let rest = (0..<size - 14).map { _ in UInt8.random(in: 0...255, using: &random) }
      let frame = ethernet(to: .station(1), from: .station(0), rest)
      for cuts in [[], [12], [12, 14], [5, 9, 1, 700], [26], [30], [1, 1, 1, 11, 3]] {
        network.cards[0].send(frame, cuts: cuts)
        network.run()
        let received = network.cards[1].received()
        #expect(received.map(\.bytes) == [frame], "\(size) \(cuts)")
        #expect(received.first?.buffers == (size + 12 + 2047) / 2048)
      }
    }
    #expect(network.port(1).delivered == network.port(0).sent)
    #expect(network.port(1).deliveredBytes == network.port(0).sentBytes)
  }

  @Test func `a station that moves is found at its new place`() {
    let network = TestNetwork(3)
    let wanderer = MACAddress(rawValue: 0x0200_0000_0077)
    for index in 0..<3 {
      network.cards[index].setup.filter.modes = .promiscuous
      network.attach(index)
    }

    for (place, other) in [(1, 2), (2, 1)] {
      network.cards[place].send(ethernet(to: .station(0), from: wanderer))
      network.cards[0].send(ethernet(to: wanderer, from: .station(0)))
      network.run()
      _ = network.cards[place].received()
      _ = network.cards[other].received()
      network.cards[0].send(ethernet(to: wanderer, from: .station(0)))
      network.run()
      #expect(network.cards[place].received().count == 1)
      #expect(network.cards[other].received().count == 0)
    }
  }

  @Test func `a silent station is forgotten`() {
    let network = TestNetwork(3)
    network.cards[2].setup.filter.modes = .promiscuous
    network.attach(2)
    network.cards[1].send(ethernet(to: .station(0), from: .station(1)))
    network.run()
    _ = network.cards[2].received()

    for (seconds, copies) in [(299, 0), (2, 1)] {
      network.now += UInt64(seconds) * 1_000_000_000
      network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
      network.run()
      #expect(network.cards[2].received().count == copies)
      #expect(network.cards[1].received().count == 1)
    }
  }

  @Test func `a frame to a station on its own port goes nowhere`() {
    let network = TestNetwork(2)
    let inner = MACAddress(rawValue: 0x0200_0000_0077)
    network.cards[0].send(ethernet(to: .broadcast, from: inner))
    network.cards[0].send(ethernet(to: inner, from: .station(0)))
    network.cards[0].send(ethernet(to: .station(0), from: .station(0)))
    network.run()

    #expect(network.cards[1].received().count == 1)
    #expect(network.port(0).refused(.local) == 2)
    network.expectBalance()
  }

  @Test func `alone on a switch, a frame has no receiver`() {
    let network = TestNetwork(2)
    network.engine.detach(1, counters: &network.counters)
    network.cards[0].send(ethernet(to: .broadcast, from: .station(0)))
    network.run()

    #expect(network.port(0).refused(.noReceiver) == 1)
    #expect(PortState(rawValue: network.port(1).state) == .down)
    network.expectBalance()
  }

  @Test func `a frame to a station whose card is down is lost there`() {
    let network = TestNetwork(3)
    network.cards[1].send(ethernet(to: .station(0), from: .station(1)))
    network.run()
    network.engine.detach(1, counters: &network.counters)
    network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
    network.run()

    #expect(network.port(1).lost(.down) == 1)
    #expect(network.port(2).lost(.filtered) == 1)
    network.expectBalance()
  }
}
