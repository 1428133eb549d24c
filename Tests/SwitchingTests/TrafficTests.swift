// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

@testable import Switching

/// Much traffic of all kinds, good and bad.
struct TrafficTests {
  /// Cards of all kinds: with and without offloads, merging, event indices; large and small queues.
  private func network(_ random: inout SplitMix64) -> TestNetwork {
    let sizes = [8, 64, 128, 256, 16, 64]
    let features = [
      TestCard.all, TestCard.all & ~TestCard.eventIndex, TestCard.virtio, TestCard.virtio | TestCard.mergeable,
      TestCard.all & ~TestCard.mergeable, TestCard.all & ~TestCard.guestOffloads,
    ]
    return TestNetwork(6) { index in
      TestCard(
        .station(index), features: features[index], size: sizes[index], receiveBuffer: index == 4 ? 65_562 : 1526,
        sendBuffer: 16_384)
    } configure: { index, port in
      port.vlan = index == 5 ? 2 : 1
      port.rate = index == 3 ? 100_000_000 : 0
      port.refusesForeignSource = index == 1 ? 1 : 0
      guard index == 4 else { return }
      port.mode = PortMode.trunk.rawValue
      port.trunk[0] = 0b110
    }
  }

  private func sendSomething(from sender: Int, on network: TestNetwork, _ random: inout SplitMix64) {
    let destinations: [MACAddress] = [.broadcast, .multicast, .station(8)] + (0..<6).map { .station($0) }
    let destination = destinations.randomElement(using: &random) ?? .broadcast
    let source = Int.random(in: 0..<20, using: &random) == 0 ? MACAddress.station(7) : .station(sender)
    let tags: [UInt16] = Int.random(in: 0..<4, using: &random) == 0 ? [UInt16.random(in: 0..<4, using: &random)] : []
    let hasOffloads = network.cards[sender].setup.features & 1 != 0
    guard hasOffloads, Bool.random(using: &random) else {
      let count = [0, 10, 46, 500, 1486].randomElement(using: &random) ?? 0
      network.cards[sender].send(ethernet(to: destination, from: source, tags: tags, Array(repeating: 1, count: count)))
      return
    }
    let count = [1, 100, 1400, 9000].randomElement(using: &random) ?? 0
    let segment = TestSegment(
      isIPv6: Bool.random(using: &random), tags: tags, payload: Array(repeating: 3, count: count))
    network.cards[sender].send(
      segment.frame(to: destination, from: source, isComplete: false),
      header: segment.header(size: count > 1400 ? 1400 : 0), cuts: [12, 60])
  }

  @Test func `whatever is sent, the counters add up and all comes to rest`() {
    var random = SplitMix64(seed: 11)
    let network = network(&random)
    for round in 0..<fuzzRounds(300) {
      for _ in 0..<20 { sendSomething(from: Int.random(in: 0..<6, using: &random), on: network, &random) }
      for card in network.cards { card.refills = Int.random(in: 0..<8, using: &random) > 0 }
      network.now += UInt64.random(in: 0..<2_000_000, using: &random)
      for _ in 0..<Int.random(in: 0..<4, using: &random) { network.serve() }
      network.cards.forEach { _ = $0.received() }
      if round % 97 == 0 { network.restart() }
      if round % 61 == 0 { network.attach(Int.random(in: 0..<6, using: &random)) }
      network.expectBalance()
    }
    for card in network.cards { card.refills = true }
    while let deadline = network.run().deadline { network.now = max(network.now, deadline) }
    network.expectBalance()
    #expect(network.failures == [])
    for index in 0..<6 {
      let port = network.port(index)
      #expect(port.sent > 100 && port.delivered > 5, "port \(index): \(port.sent) sent, \(port.delivered) delivered")
      network.cards[index].poll()
      #expect(network.cards[index].transmit.free.count == network.cards[index].transmit.size)
    }
  }

  @Test func `random bytes in rings and headers harm nobody but their writer`() {
    var random = SplitMix64(seed: 12)
    for _ in 0..<fuzzRounds(60) {
      let network = TestNetwork(3) { index in
        TestCard(
          .station(index), features: index == 0 ? Self.someFeatures(&random) : TestCard.all, size: 16,
          sendBuffer: 16_384)
      }
      for _ in 0..<30 {
        spoil(network.cards[0], &random)
        sendSomething(from: 0, on: network, &random)
        sendSomething(from: 1, on: network, &random)
        network.cards[1].send(ethernet(to: .station(2), from: .station(1)))
        network.now += 11_000_000
        for _ in 0..<3 { network.serve() }
        network.cards[1].poll()
        network.cards[2].poll()
      }
      #expect(network.cards.allSatisfy { $0.memory.isUnharmed })
      #expect(network.failures.allSatisfy { $0.hasPrefix("vm0:") })
      #expect(network.cards[2].received().filter { $0.bytes[11] == 2 }.count >= 20)
      network.expectBalance()
    }
  }

  private static func someFeatures(_ random: inout SplitMix64) -> UInt64 {
    TestCard.virtio | (random.next() & TestCard.all)
  }

  /// Writes nonsense to the rings, the descriptors or the headers of a card.
  private func spoil(_ card: TestCard, _ random: inout SplitMix64) {
    for queue in [card.transmit, card.receive] {
      let setup = queue.setup
      let descriptor = Int(setup.descriptors) + 16 * Int.random(in: 0..<queue.size, using: &random)
      switch Int.random(in: 0..<12, using: &random) {
      case 0: card.memory[descriptor] = UInt64.random(in: 0..<UInt64(2 * card.memory.size), using: &random)
      case 1: card.memory[descriptor + 8] = UInt32.random(in: 0..<3000, using: &random)
      case 2: card.memory[descriptor + 12] = UInt16.random(in: 0..<8, using: &random)
      case 3: card.memory[descriptor + 14] = UInt16.random(in: 0..<20, using: &random)
      case 4: card.memory[Int(setup.available) + 2] = UInt16.random(in: 0..<40, using: &random)
      case 5: card.memory[Int(setup.used) + 2] = UInt16.random(in: 0..<40, using: &random)
      case 6: card.memory[Int(setup.available) + 4] = UInt16.random(in: 0..<17, using: &random)
      default:
        let place = queue.place(UInt16.random(in: 0..<UInt16(queue.size), using: &random))
        for offset in 0..<20 { card.memory[place + offset] = UInt8.random(in: 0...8, using: &random) }
      }
    }
  }
}
