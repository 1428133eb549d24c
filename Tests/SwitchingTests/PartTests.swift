// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

@testable import Switching

/// The parts of a switch by themselves.
struct PartTests {
  @Test func `a checksum is the same however its bytes are cut`() {
    var random = SplitMix64(seed: 5)
    for _ in 0..<500 {
      let bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random) | (Bool.random(using: &random) ? 0xff : 0)
      }
      var whole = InternetChecksum()
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = Array(rest.prefix(Int.random(in: 1...rest.count, using: &random)))
        rest = rest.dropFirst(piece.count)
        if Bool.random(using: &random) {
          whole.add(piece.span.bytes)
        } else {
          var part = InternetChecksum()
          part.add(piece.span.bytes)
          whole.add(part)
        }
      }
      let expected = ~plainChecksum(bytes)
      #expect(whole.value == (expected == 0 ? 0xffff : expected))
    }
  }

  @Test func `the example of RFC 1071 comes out`() {
    var sum = InternetChecksum()
    for word in [0x0001, 0xf203, 0xf4f5, 0xf6f7] as [UInt16] { sum.add(word: word) }
    #expect(sum.value == ~0xddf2)
  }

  @Test func `a table holds what it can, and forgets the oldest`() {
    var table = MACTable(lifetime: 100)
    for index in 0..<500 { table.learn(MACAddress(rawValue: UInt64(index)), vlan: 1, port: index % 16, now: 50) }
    let known = (0..<500).filter { table.port(of: MACAddress(rawValue: UInt64($0)), vlan: 1, now: 150) == $0 % 16 }
    #expect(known.count > 480)
    #expect((0..<500).allSatisfy { table.port(of: MACAddress(rawValue: UInt64($0)), vlan: 1, now: 151) == nil })
    #expect((0..<500).allSatisfy { table.port(of: MACAddress(rawValue: UInt64($0)), vlan: 2, now: 50) == nil })
  }

  @Test func `a VM that invents addresses displaces its own`() {
    var table = MACTable(lifetime: 1 << 60)
    for index in 0..<200 { table.learn(.station(index), vlan: 1, port: 1 + index % 3, now: 1) }
    for index in 0..<8000 {
      table.learn(MACAddress(rawValue: UInt64(index) << 8), vlan: 1, port: 0, now: 2 + UInt64(index))
    }
    let known = (0..<200).filter { table.port(of: .station($0), vlan: 1, now: 20_000) == 1 + $0 % 3 }
    #expect(known.count == 200)
  }

  @Test func `a rate limit lets a burst through, then one frame after the other`() {
    var limit = RateLimit(bitsPerSecond: 1_000_000)
    var now: UInt64 = 5_000_000_000
    var count = 0
    while limit.delay(at: now) == nil {
      limit.charge(bytes: 125, at: now)
      count += 1
    }
    // A frame is a millisecond: ten in advance, and the one that went beyond.
    #expect(count == 11)
    for _ in 0..<5 {
      let next = limit.delay(at: now)
      #expect(next == now + 1_000_000)
      now = next ?? 0
      #expect(limit.delay(at: now) == nil)
      limit.charge(bytes: 125, at: now)
    }
    #expect(limit.delay(at: now + 1_000_000_000) == nil)
  }

  @Test func `no rate, however odd, overflows`() {
    for rate in [0, 1, 7, UInt64.max] {
      var limit = RateLimit(bitsPerSecond: rate)
      for now in [0, 1, 1 << 62] as [UInt64] {
        limit.charge(bytes: Frame.maximumLength, at: now)
        _ = limit.delay(at: now)
      }
    }
  }

  @Test func `a set gives its ports in order`() {
    var set: PortSet = .port(3) | .port(0) | .port(15)
    #expect(!set.isSingle && PortSet.port(7).isSingle && !PortSet.none.isSingle)
    #expect(set.filter { $0 > 0 } == .port(3) | .port(15))
    #expect([set.takeFirst(), set.takeFirst(), set.takeFirst(), set.takeFirst()] == [0, 3, 15, nil])
  }
}
