// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Switching

/// Access and trunk ports (IEEE 802.1Q). Ports 0 and 1 are in VLAN 5, port 2 in VLAN 6; ports 3 and 4 are trunks of
/// 5, 6 and 7, whose frames without a tag are of VLAN 5 on port 3 and refused on port 4.
struct VLANTests {
  private func network() -> TestNetwork {
    TestNetwork(
      5,
      configure: { index, port in
        port.vlan = [5, 5, 6, 5, 0][index]
        guard index > 2 else { return }
        port.mode = PortMode.trunk.rawValue
        port.trunk[0] = 1 << 5 | 1 << 6 | 1 << 7 | 1
        port.trunk[63] = 1 << 63
      })
  }

  /// Broadcasts from `sender`; what each card gets behind the addresses, up to the payload.
  private func broadcast(_ network: TestNetwork, from sender: Int, tags: [UInt16], cuts: [Int] = []) -> [[UInt8]?] {
    network.cards[sender].send(ethernet(to: .broadcast, from: .station(sender), tags: tags), cuts: cuts)
    network.run()
    network.expectBalance()
    return network.cards.map { card in
      card.received().first.map { Array($0.bytes[12...].prefix { $0 != 0x5a }) }
    }
  }

  private static let plain: [UInt8] = [0x88, 0xb5]
  private static func tagged(_ tag: UInt16) -> [UInt8] { [0x81, 0] + wire(tag) + plain }

  @Test func `an access port's frame gets a tag on the way to a trunk`() {
    let got = broadcast(network(), from: 0, tags: [])
    #expect(got == [nil, Self.plain, nil, Self.plain, Self.tagged(5)])
    #expect(broadcast(network(), from: 2, tags: []) == [nil, nil, nil, Self.tagged(6), Self.tagged(6)])
  }

  @Test(arguments: [[], [12, 14], [26], [29]])
  func `a trunk's tag is taken off on the way to an access port`(cuts: [Int]) {
    let network = network()
    #expect(
      broadcast(network, from: 4, tags: [0xa005], cuts: cuts) == [Self.plain, Self.plain, nil, Self.plain, nil])
    #expect(broadcast(network, from: 4, tags: [6], cuts: cuts) == [nil, nil, Self.plain, Self.tagged(6), nil])
    #expect(broadcast(network, from: 3, tags: [0xa007], cuts: cuts) == [nil, nil, nil, nil, Self.tagged(0xa007)])
  }

  @Test func `a priority tag is of the native VLAN, and the priority is kept`() {
    let got = broadcast(network(), from: 0, tags: [0xe000])
    #expect(got == [nil, Self.plain, nil, Self.plain, Self.tagged(0xe005)])
    #expect(broadcast(network(), from: 3, tags: [0xe000]) == [Self.plain, Self.plain, nil, nil, Self.tagged(0xe005)])
  }

  @Test(arguments: [(0, 5), (0, 6), (0, 4095), (3, 8), (3, 4095), (4, 0)])
  func `a tag of a VLAN that is not the port's is refused`(port: Int, vlan: UInt16) {
    let network = network()
    #expect(broadcast(network, from: port, tags: [vlan]) == [nil, nil, nil, nil, nil])
    #expect(network.port(port).refused(.vlan) == 1)
  }

  @Test func `without a native VLAN, a trunk takes no frame without a tag`() {
    let network = network()
    #expect(broadcast(network, from: 4, tags: []) == [nil, nil, nil, nil, nil])
    #expect(network.port(4).refused(.vlan) == 1)
  }

  @Test func `an inner tag is payload, and never becomes the one that counts`() {
    // From VLAN 5, with a tag for VLAN 6 inside: on the trunk of native VLAN 5 the outer tag must stay.
    let got = broadcast(network(), from: 0, tags: [0, 6])
    #expect(got[3] == [0x81, 0, 0, 5] + Self.tagged(6))
    #expect(got[4] == [0x81, 0, 0, 5] + Self.tagged(6))
    #expect(got[1] == Self.tagged(6) && got[2] == nil)
  }

  @Test func `stations are known by VLAN`() {
    let network = network()
    network.cards[3].send(ethernet(to: .broadcast, from: .station(9), tags: [6]))
    network.cards[1].send(ethernet(to: .broadcast, from: .station(9)))
    network.run()
    network.cards[3].setup.filter.modes = .promiscuous
    network.cards[1].setup.filter.modes = .promiscuous
    network.attach(1)
    network.attach(3)
    network.cards.forEach { _ = $0.received() }

    network.cards[2].send(ethernet(to: .station(9), from: .station(2)))
    network.cards[0].send(ethernet(to: .station(9), from: .station(0)))
    network.run()
    #expect(network.cards.map { $0.received().count } == [0, 1, 0, 1, 0])
  }

  @Test func `a checksum to be completed moves with the tag`() {
    let segment = TestSegment(payload: Array(repeating: 7, count: 100))
    let network = network()
    network.cards[2].send(
      segment.frame(to: .station(3), from: .station(2), isComplete: false), header: segment.header(size: 40))
    network.run()

    var tagged = segment
    tagged.tags = [6]
    let got = network.cards[3].received()
    #expect(got.map(\.bytes) == [tagged.frame(to: .station(3), from: .station(2), isComplete: false)])
    #expect(got.map { Array($0.header[..<10]) } == [Array(tagged.header(size: 40)[..<10])])

    network.cards[3].send(
      tagged.frame(to: .station(2), from: .station(3), isComplete: false), header: tagged.header(size: 40))
    network.run()
    let back = network.cards[2].received()
    #expect(back.map(\.bytes) == [segment.frame(to: .station(2), from: .station(3), isComplete: false)])
    #expect(back.map { Array($0.header[..<10]) } == [Array(segment.header(size: 40)[..<10])])
  }
}
