// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests.NetworkTests {
  @Test func `VLANs keep access ports apart, and a trunk reaches each by its tag`() async throws {
    let system = try await FourOnASwitch.system
    try await system.run("ifconfig eth1 10.0.10.1", on: 0)
    try await system.run("ifconfig eth1 10.0.10.2; ip addr add 10.0.20.2/24 dev eth1", on: 1)
    try await system.run("ifconfig eth1 up", on: 2)
    for vlan in [10, 20] {
      try await system.run(
        "vconfig add eth1 \(vlan); ifconfig eth1.\(vlan) 10.0.\(vlan).3 netmask 255.255.255.0", on: 2)
    }

    try await system.ping("10.0.10.1", from: 2)
    try await system.ping("10.0.20.2", from: 2)
    // vm1 has an address in vm0's network, but its port is in another VLAN.
    let text = try await system.run("ping -q -c 2 -w 4 10.0.10.2", on: 0)
    #expect(text.contains("0 packets received"), "\(text)")
    // A tag on an access port is refused and counted.
    let before = try await system.ports(of: 0)[1]
    try await system.run("vconfig add eth1 20; ifconfig eth1.20 10.0.20.1 netmask 255.255.255.0", on: 0)
    try await system.run("ping -q -c 2 -w 4 10.0.20.2; vconfig rem eth1.20", on: 0)
    #expect(try await system.ports(of: 0)[1]["refused_vlan"] > before["refused_vlan"])
  }

  @Test func `a rate limit holds, and loses nothing`() async throws {
    let system = try await FourOnASwitch.system
    for number in [0, 3] { try await system.run("ifconfig eth1 10.0.10.\(number + 1)", on: number) }
    try await system.run("rm -f /tmp/count; { nc -l -p 5009 -e sh -c 'wc -c > /tmp/count' & }", on: 0)
    try await system.run("until netstat -ltn | grep -q ':5009 '; do sleep 0.2; done", on: 0)
    let before = try await system.ports(of: 3)[1]
    let text = try await system.run(
      "a=$(date +%s); head -c 6000000 /dev/zero | nc 10.0.10.1 5009; echo $(($(date +%s) - a))", on: 3)
    let after = try await system.ports(of: 3)[1]
    // 8 Mbit/s are 1 MB/s; the clock shows whole seconds.
    #expect(try #require(Int(text)) >= 5, "6 MB took \(text) s")
    #expect(after.sum("refused_") == before.sum("refused_"))
    #expect(try await system.run("until [ -s /tmp/count ]; do sleep 0.2; done; cat /tmp/count", on: 0) == "6000000")
  }

  @Test func `a card with a foreign address is not heard where that is forbidden`() async throws {
    let system = try await FourOnASwitch.system
    try await system.run("ifconfig eth1 10.0.10.1", on: 0)
    try await system.run("own=$(cat /sys/class/net/eth1/address); ifconfig eth1 down", on: 3)
    try await system.run("ifconfig eth1 hw ether 02:00:00:00:bb:99; ifconfig eth1 10.0.10.4", on: 3)
    let before = try await system.ports(of: 3)[1]
    let text = try await system.run("ping -q -c 2 -w 4 10.0.10.1", on: 3)
    let after = try await system.ports(of: 3)[1]
    #expect(text.contains("0 packets received"), "\(text)")
    #expect(after["refused_spoofed"] > before["refused_spoofed"])

    try await system.run("ifconfig eth1 down; ifconfig eth1 hw ether $own; ifconfig eth1 10.0.10.4", on: 3)
    try await system.ping("10.0.10.1", from: 3)
  }
}
