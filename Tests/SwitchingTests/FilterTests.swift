// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Switching

/// What a card lets in (virtio 1.2, §5.1.6.5.1 and §5.1.6.5.2), and what a VM may send.
struct FilterTests {
  static let other = MACAddress(rawValue: 0x0200_0000_0099)
  static let group = MACAddress(rawValue: 0x0100_5e00_0001)
  static let modes: [(modes: ReceiveModes, own: Bool, other: Bool, group: Bool, broadcast: Bool)] = [
    (.none, true, false, false, true),
    (.promiscuous, true, true, true, true),
    (.promiscuous | .noUnicast | .noMulticast | .noBroadcast, true, true, true, true),
    (.allMulticast, true, false, true, true),
    (.allUnicast, true, true, false, true),
    (.noUnicast | .allUnicast, false, false, false, true),
    (.noMulticast | .allMulticast, true, false, false, true),
    (.noBroadcast, true, false, false, false),
    (.noBroadcast | .allMulticast, true, false, true, false),
  ]

  @Test(arguments: modes)
  func `modes decide`(_ row: (modes: ReceiveModes, own: Bool, other: Bool, group: Bool, broadcast: Bool)) {
    var filter = ReceiveFilter()
    filter.own = .station(1)
    filter.modes = row.modes

    #expect(AdmissionFilter(filter).admits(.station(1)) == row.own)
    #expect(AdmissionFilter(filter).admits(Self.other) == row.other)
    #expect(AdmissionFilter(filter).admits(Self.group) == row.group)
    #expect(AdmissionFilter(filter).admits(.broadcast) == row.broadcast)
  }

  @Test func `listed addresses are let in, and no more than there are`() {
    var filter = ReceiveFilter()
    filter.addresses[0] = Self.other
    filter.addresses[31] = Self.group
    #expect(!AdmissionFilter(filter).admits(Self.other) && !AdmissionFilter(filter).admits(Self.group))

    filter.count = .max
    #expect(AdmissionFilter(filter).admits(Self.other) && AdmissionFilter(filter).admits(Self.group))
    filter.count = 31
    #expect(AdmissionFilter(filter).admits(Self.other) && !AdmissionFilter(filter).admits(Self.group))
  }

  @Test func `a frame that the card does not want is counted there`() {
    let network = TestNetwork(3)
    network.cards[0].send(ethernet(to: Self.group, from: .station(0)))
    network.run()

    #expect(network.port(1).lost(.filtered) == 1 && network.port(2).lost(.filtered) == 1)
    #expect(network.port(0).forwarded == 1 && network.port(0).copies == 2)
    #expect(network.cards[1].received() == [])
    network.expectBalance()
  }

  @Test func `a new filter counts from the next frame on`() {
    let network = TestNetwork(2)
    network.cards[1].setup.filter.addresses[0] = Self.group
    network.cards[1].setup.filter.count = 1
    network.attach(1)
    network.cards[0].send(ethernet(to: Self.group, from: .station(0)))
    network.run()

    #expect(network.cards[1].received().count == 1)
  }

  @Test func `a port that refuses foreign sources takes its own only`() {
    let network = TestNetwork(2, configure: { _, port in port.refusesForeignSource = 1 })
    network.cards[0].setup.filter.own = Self.other
    network.attach(0)
    network.cards[0].send(ethernet(to: .station(1), from: Self.other))
    network.cards[0].send(ethernet(to: .station(1), from: .station(0)))
    network.run()

    #expect(network.port(0).refused(.spoofed) == 1)
    #expect(network.cards[1].received().map { Array($0.bytes[6..<12]) } == [[2, 0, 0, 0, 0xaa, 1]])
    network.expectBalance()
  }

  @Test func `a group sends nothing`() {
    let network = TestNetwork(2)
    network.cards[0].send(ethernet(to: .station(1), from: .multicast))
    network.cards[0].send(ethernet(to: .station(1), from: .broadcast))
    network.run()

    #expect(network.port(0).refused(.spoofed) == 2)
    #expect(network.cards[1].received() == [])
  }
}
