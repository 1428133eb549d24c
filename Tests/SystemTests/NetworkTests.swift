// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests {
  /// Four VMs on one switch, configured by hand as their users do it.
  @Suite(.serialized, .ending(FourOnASwitch.end))
  struct NetworkTests {
    @Test func `all pairs of four VMs reach each other`() async throws {
      try await FourOnASwitch.system.pingAllPairs()
    }

    @Test func `frames of all sizes arrive, from the smallest that IP makes to one in many fragments`() async throws {
      let system = try await FourOnASwitch.system
      let before = try await system.port(of: 0)
      for size in [0, 1, 18, 1472, 1473, 20_000, 65_000] {
        try await system.ping(FourOnASwitch.address(1), from: 0, options: "-s \(size)")
      }
      let after = try await system.port(of: 0)
      #expect(after.sum("refused_") == before.sum("refused_"))
      // The 20000 bytes take 14 fragments, the 65000 take 44, twice each.
      #expect(after["sent"] - before["sent"] >= 2 * (5 + 14 + 44))
    }

    @Test func `jumbo frames cross in one piece`() async throws {
      let system = try await FourOnASwitch.system
      for number in [0, 3] { try await system.run("ifconfig eth1 10.0.10.\(number + 1)", on: number) }
      try await system.ping("10.0.10.4", from: 0, count: 1)
      let before = try await system.ports(of: 0)[1]
      try await system.ping("10.0.10.4", from: 0, count: 3, options: "-s 8972")
      let after = try await system.ports(of: 0)[1]
      // With an ARP frame perhaps; in fragments it would be more than twice as many.
      #expect((3...5).contains(after["sent"] - before["sent"]))
      #expect(after["sent_bytes"] - before["sent_bytes"] >= 3 * 9014)
    }

    @Test func `a broadcast reaches all others`() async throws {
      try await expectThreeAnswers("192.168.1.255", group: "broadcast")
    }

    @Test func `a multicast reaches all who listen, by IPv4 and IPv6`() async throws {
      let system = try await FourOnASwitch.system
      try await system.run("ip route add 224.0.0.0/4 dev eth0", on: 0)
      try await expectThreeAnswers("224.0.0.1", group: "all hosts")
      try await expectThreeAnswers("ff02::1%eth0", group: "all nodes")
    }

    /// All but vm0 answer what vm0 asks a group; it hears itself as well, if it is one of it.
    private func expectThreeAnswers(_ address: String, group: String) async throws {
      let system = try await FourOnASwitch.system
      let text = try await system.run("ping -c 3 -W 20 -w 30 \(address) | grep -o 'from [^ ]*' | sort -u", on: 0)
      let answers = text.split(whereSeparator: \.isNewline)
        .filter { !$0.contains("192.168.1.1:") && !$0.contains("fe80::ff:fe00:aa01") }
      #expect(answers.count == 3, "\(group): \(text)")
    }

    @Test func `IPv6 finds its neighbours`() async throws {
      let system = try await FourOnASwitch.system
      for number in 1...3 {
        try await system.run("ip -6 neigh flush dev eth0", on: 0)
        try await system.ping("fe80::ff:fe00:aa0\(number + 1)%eth0", from: 0, options: "-6")
      }
      let table = try await system.run("ip -6 neigh show dev eth0", on: 0)
      #expect(table.contains("02:00:00:00:aa:04"), "\(table)")
    }
  }
}
