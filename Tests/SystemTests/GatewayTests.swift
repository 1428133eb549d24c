// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests.GuestTests {
  @Test func `vm0 routes for the others through the card that it has for itself`() async throws {
    let system = try await FourMachines.system
    try await system.expectLease(0)
    #expect(try await system.run("grep -c 'PCI-MSI.*eth1' /proc/interrupts", on: 0) == "3")
    try await system.expectDownload(0)

    try await system.run(
      """
      ifconfig eth0 192.168.1.1; echo 1 > /proc/sys/net/ipv4/ip_forward; \
      iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE
      """, on: 0)
    for number in 1...3 {
      try await system.run("ifconfig eth0 192.168.1.\(number + 1); ip route add default via 192.168.1.1", on: number)
      try await system.expectAnswers(number)
    }
    try await system.expectDownload(3)
    // The others' addresses are nobody's business outside.
    let translated = try await system.run(
      "iptables -t nat -nvL POSTROUTING | awk '/MASQUERADE/ { print ($1 > 0) }'", on: 0)
    #expect(translated == "1")
  }
}
