// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Switching

/// What no good driver does.
struct HostileTests {
  static let headers: [(name: String, header: [UInt8])] = [
    ("a checksum in the Ethernet header", VirtioHeader(flags: 1, start: 13, offset: 10).bytes),
    ("a checksum beyond the frame", VirtioHeader(flags: 1, start: 40, offset: 19).bytes),
    ("a checksum far away", VirtioHeader(flags: 1, start: 0xffff, offset: 0xffff).bytes),
    ("a long frame without a checksum", VirtioHeader(kind: 1, segmentSize: 100, start: 34, offset: 16).bytes),
    ("segments of nothing", VirtioHeader(flags: 1, kind: 1, start: 34, offset: 16).bytes),
    ("UDP fragmentation", VirtioHeader(flags: 1, kind: 3, segmentSize: 9, start: 34, offset: 6).bytes),
    ("UDP segmentation", VirtioHeader(flags: 1, kind: 5, segmentSize: 9, start: 34, offset: 6).bytes),
    ("a kind that does not exist", VirtioHeader(flags: 1, kind: 0x7f, segmentSize: 9, start: 34, offset: 16).bytes),
    ("congestion alone", VirtioHeader(flags: 1, kind: 0x80, segmentSize: 9, start: 34, offset: 16).bytes),
  ]

  @Test(arguments: headers)
  func `a header that makes no sense is refused`(_ row: (name: String, header: [UInt8])) {
    let network = TestNetwork(2)
    let frame = ethernet(to: .station(1), from: .station(0))
    network.cards[0].send(frame, header: row.header)
    network.cards[0].send(frame)
    network.run()

    #expect(network.port(0).refused(.malformed) == 1)
    #expect(network.cards[1].received().count == 1)
    network.expectBalance()
  }

  @Test(arguments: [
    VirtioHeader(flags: 1, start: 34, offset: 6),
    VirtioHeader(flags: 1, kind: 1, segmentSize: 9, start: 34, offset: 16),
  ])
  func `what was not negotiated is refused`(header: VirtioHeader) {
    let network = TestNetwork(2) { TestCard(.station($0), features: TestCard.virtio | TestCard.mergeable) }
    network.cards[0].send(ethernet(to: .station(1), from: .station(0)), header: header.bytes)
    network.run()
    #expect(network.port(0).refused(.malformed) == 1)
  }

  @Test func `flags that mean nothing to a device are ignored`() {
    let network = TestNetwork(2)
    network.cards[0].send(
      ethernet(to: .station(1), from: .station(0)), header: VirtioHeader(flags: 0xfe, start: 9, buffers: 77).bytes)
    network.run()
    #expect(network.cards[1].received().map(\.header) == [VirtioHeader(buffers: 1).bytes])
  }

  @Test(arguments: [0, 1, 11, 12, 13, 25])
  func `a chain too short for a frame is refused`(count: Int) {
    let network = TestNetwork(2)
    network.cards[0].send([], header: Array(repeating: 0, count: count))
    network.cards[0].send(ethernet(to: .broadcast, from: .station(0), tags: [5]).dropLast(48).map { $0 })
    network.run()
    #expect(network.port(0).refused(.malformed) == 2)
    #expect(network.port(0).sentBytes == UInt64(max(0, count - 12) + 16))
    network.expectBalance()
  }

  @Test func `a frame that no card can take is refused`() {
    let network = TestNetwork(2)
    network.cards[0].send(ethernet(to: .station(1), from: .station(0), Array(repeating: 0, count: 65_537)))
    network.run()
    #expect(network.port(0).refused(.malformed) == 1)
  }

  @Test func `a chain that only the device may write is no frame`() {
    let network = TestNetwork(2)
    _ = network.cards[0].transmit.offer([(1000, true)])
    network.run()
    #expect(network.port(0).refused(.malformed) == 1 && network.failures == [])
  }

  @Test func `a driver that breaks the rules is shut down and named, until it resets its card`() {
    let network = TestNetwork(3)
    let card = network.cards[0]
    card.send(ethernet(to: .station(1), from: .station(0)))
    card.send(ethernet(to: .station(1), from: .station(0)))
    card.memory[Int(card.transmit.setup.descriptors) + 16] = UInt64.max
    network.cards[1].send(ethernet(to: .station(2), from: .station(1)))
    network.run()

    #expect(network.failures == ["vm0: card 0 is shut down: transmit queue: a buffer outside memory"])
    #expect(network.events[0] == .needsReset)
    #expect(PortState(rawValue: network.port(0).state) == .failed)
    #expect(network.cards[1].received().count == 1 && network.cards[2].received().count == 1)
    network.run()
    #expect(network.failures.count == 1)

    let fresh = TestCard(.station(0))
    fresh.fill()
    network.engine.attach(fresh.setup, to: 0, memory: fresh.memory.memory, counters: &network.counters)
    #expect(PortState(rawValue: network.port(0).state) == .up)
    fresh.send(ethernet(to: .station(1), from: .station(0)))
    network.run()
    #expect(network.cards[1].received().count == 1)
    network.expectBalance()
  }

  @Test func `queues that cannot be used shut the card down at once`() {
    let network = TestNetwork(2)
    network.cards[1].setup.queues[0].used = .max - 3
    network.attach(1)
    network.cards[0].setup.queues[1].size = 48
    network.attach(0)
    let service = network.serve()
    #expect(service.failed == .port(0) | .port(1))
    #expect(
      network.failures == [
        "vm0: card 0 is shut down: transmit queue: the queue's size is no power of two up to 32768",
        "vm1: card 0 is shut down: receive queue: a part of the queue is outside memory",
      ])
  }

  @Test func `without both queues a card is down`() {
    let network = TestNetwork(2)
    network.cards[0].setup.queues[1].isEnabled = 0
    network.cards[1].setup.queueCount = 1
    for index in 0..<2 {
      network.attach(index)
      #expect(PortState(rawValue: network.port(index).state) == .down)
    }
    #expect(network.failures == [])
  }
}
