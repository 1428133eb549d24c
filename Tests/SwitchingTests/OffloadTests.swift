// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing
import Virtio

@testable import Switching

/// Checksums and segmentation: passed on, or done here (virtio 1.2, §5.1.6).
struct OffloadTests {
  /// A sender that leaves all to be done, and a receiver that accepted `features`.
  private func network(_ features: UInt64, tag: UInt16? = nil) -> TestNetwork {
    TestNetwork(2) { index in
      TestCard(.station(index), features: index == 0 ? TestCard.all : features | TestCard.virtio, size: 128)
    } configure: { index, port in
      guard let tag else { return }
      guard index == 1 else { return port.vlan = tag }
      port.mode = PortMode.trunk.rawValue
      port.vlan = 0
      port.trunk[Int(tag / 64)] = 1 << UInt64(tag % 64)
    }
  }

  private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 251) } }

  private func send(_ segment: TestSegment, size: Int = 0, hasECN: Bool = false, on network: TestNetwork) {
    network.cards[0].send(
      segment.frame(to: .station(1), from: .station(0), isComplete: false),
      header: segment.header(size: size, hasECN: hasECN), cuts: [12, 60, 501])
    network.run()
    network.expectBalance()
  }

  @Test(arguments: [false, true])
  func `a receiver that takes it gets a long frame whole`(isIPv6: Bool) {
    let network = network(TestCard.all)
    let segment = TestSegment(isIPv6: isIPv6, payload: bytes(60_000))
    send(segment, size: 1448, hasECN: true, on: network)

    let got = network.cards[1].received()
    #expect(got.map(\.bytes) == [segment.frame(to: .station(1), from: .station(0), isComplete: false)])
    #expect(got.map { Array($0.header[..<10]) } == [Array(segment.header(size: 1448, hasECN: true)[..<10])])
    #expect(got.first?.buffers == (12 + segment.headerLength + 60_000 + 2047) / 2048)
  }

  @Test(arguments: [0, 1, 2, 99, 100, 1400], [nil, 9 as UInt16])
  func `a receiver that takes no checksum to be completed gets a complete one`(count: Int, tag: UInt16?) {
    for isIPv6 in [false, true] {
      let network = network(TestCard.mergeable, tag: tag)
      var segment = TestSegment(isIPv6: isIPv6, tcpOptions: count % 3 * 4, payload: bytes(count))
      send(segment, on: network)

      if let tag { segment.tags = [tag] }
      let got = network.cards[1].received()
      #expect(got.map(\.bytes) == [segment.frame(to: .station(1), from: .station(0), isComplete: true)])
      #expect(got.map(\.header) == [VirtioHeader(buffers: 1).bytes])
    }
  }

  @Test func `a checksum of zero is written as all ones`() {
    let network = network(TestCard.mergeable)
    // The words from 14 on sum up to 0xffff.
    let frame = ethernet(to: .station(1), from: .station(0), [0x12, 0x34, 0xed, 0xcb, 0, 0])
    network.cards[0].send(frame, header: VirtioHeader(flags: 1, start: 14, offset: 4).bytes)
    network.run()

    #expect(network.cards[1].received().map { Array($0.bytes[14...]) } == [[0x12, 0x34, 0xed, 0xcb, 0xff, 0xff]])
  }

  static let cuts: [(isIPv6: Bool, size: Int, count: Int, ipOptions: Int, tcpOptions: Int)] = [
    (false, 1448, 60_000, 0, 12), (true, 1428, 60_000, 0, 12), (false, 1460, 1461, 0, 0), (false, 1000, 3000, 0, 12),
    (false, 999, 2998, 40, 40), (true, 77, 1001, 8, 40), (false, 1448, 10, 0, 0), (true, 1, 3, 0, 0),
    (false, 5, 0, 0, 0),
  ]

  @Test(arguments: cuts, [nil, 9 as UInt16])
  func `a receiver that takes no long frames gets segments`(
    _ row: (isIPv6: Bool, size: Int, count: Int, ipOptions: Int, tcpOptions: Int), tag: UInt16?
  ) {
    for features in [TestCard.features(.receiveChecksum), TestCard.mergeable, 0] {
      let network = network(features, tag: tag)
      var segment = TestSegment(isIPv6: row.isIPv6, ipOptions: row.ipOptions, tcpOptions: row.tcpOptions, payload: [])
      segment.sequence = .max - 100
      segment.flags = 0x99
      let payload = bytes(row.count)
      segment.payload = payload
      send(segment, size: row.size, on: network)

      let got = network.cards[1].received()
      let starts = row.count == 0 ? [0] : Array(stride(from: 0, to: row.count, by: row.size))
      if let tag { segment.tags = [tag] }
      let expected = starts.map { start in
        var part = segment
        part.payload = Array(payload[start..<min(start + row.size, row.count)])
        part.sequence &+= UInt32(start)
        part.identification &+= UInt16(start / row.size)
        part.flags = 0x10 | (start == 0 ? 0x80 : 0) | (start == starts.last ? 0x09 : 0)
        return part.frame(to: .station(1), from: .station(0), isComplete: true)
      }
      #expect(got.map(\.bytes) == expected)
      #expect(got.allSatisfy { $0.header == VirtioHeader(buffers: 1).bytes })
      #expect(network.port(1).delivered == 1)
      #expect(network.port(1).deliveredBytes == UInt64(expected.map(\.count).reduce(0, +)))
    }
  }

  @Test func `the mark of congestion is passed only to those who know it`() {
    let network = network(TestCard.features(.receiveChecksum, .receiveTCP4, .mergeableBuffers))
    let segment = TestSegment(flags: 0x90, payload: bytes(3000))
    send(segment, size: 1000, hasECN: true, on: network)
    #expect(network.cards[1].received().map { $0.bytes[segment.transportStart + 13] } == [0x90, 0x10, 0x10])

    send(segment, size: 1000, hasECN: false, on: network)
    #expect(network.cards[1].received().map(\.buffers) == [2])
  }

  static let impossible: [(name: String, change: @Sendable (inout [UInt8]) -> Void)] = [
    ("another IP version", { $0[14] = 0x65 }),
    ("a longer IP header", { $0[14] = 0x46 }),
    ("a fragment", { $0[20] = 0x20 }),
    ("not TCP", { $0[23] = 17 }),
    ("a TCP header of 16 bytes", { $0[46] = 0x40 }),
    ("a TCP header longer than the frame", { $0[46] = 0xf0 }),
  ]

  @Test(arguments: impossible.indices)
  func `what cannot be cut is lost, and only for a receiver that needs it`(index: Int) {
    let segment = TestSegment(tcpOptions: 0, payload: bytes(30))
    var frame = segment.frame(to: .station(1), from: .station(0), isComplete: false)
    Self.impossible[index].change(&frame)
    for (features, arrives) in [(0, false), (TestCard.all, true)] {
      let network = network(features)
      network.cards[0].send(frame, header: segment.header(size: 10))
      network.run()
      #expect(network.cards[1].received().map(\.bytes) == (arrives ? [frame] : []))
      #expect(network.port(1).lost(.unsupported) == (arrives ? 0 : 1))
      network.expectBalance()
    }
  }

  @Test func `headers that are longer than the switch looks are not worked on`() {
    let network = network(0)
    let segment = TestSegment(isIPv6: true, ipOptions: 240, payload: bytes(3000))
    send(segment, size: 1000, on: network)
    send(segment, on: network)

    #expect(network.port(1).lost(.unsupported) == 2)
    #expect(network.cards[1].received() == [])
  }

  @Test func `too many segments are refused`() {
    let network = network(0)
    send(TestSegment(payload: bytes(2049)), size: 1, on: network)
    #expect(network.port(1).lost(.unsupported) == 1)
  }
}
