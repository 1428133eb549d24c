// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// Three VMs with a card of the computer each, booted once: root logged in on each.
private enum ThreeWithCards {
  static let numbers = 0..<3

  static let booted = Task {
    let system = try await TestMachine.boot("Tests/SystemTests/Systems/passthrough.yaml")
    try await system.logInEverywhere(numbers)
    return system
  }

  /// For the end of the suite.
  @Sendable static func end() async { await (try? booted.value)?.end() }
}

extension SystemTests {
  /// VMs with network cards of the computer. Each test leaves all of them logged in.
  @Suite(.serialized, .ending(ThreeWithCards.end))
  struct PassthroughTests {
    /// Has a VM's card lease an address, and ping whom it leased it from.
    private func expectLease(_ number: Int, _ system: TestMachine) async throws {
      let lease = try await system.run("ip link set up dev eth1; udhcpc -n -t 10 -i eth1 2>&1 | tail -1", on: number)
      #expect(lease.contains("lease of 10.0.2.15 obtained from 10.0.2.2"))
      let ping = try await system.run("ping -c 3 -w 30 10.0.2.2 | grep received", on: number)
      #expect(ping.contains("3 packets received, 0% packet loss"))
    }

    @Test func `a VM's card leases an address, and sends messages of its table`() async throws {
      let system = try await ThreeWithCards.booted.value
      try await expectLease(0, system)
      let messages = try await system.run("grep -c 'PCI-MSI.*eth1' /proc/interrupts", on: 0)
      #expect(messages == "3")
    }

    @Test func `8 MiB that are downloaded through a card arrive as they were sent`() async throws {
      let system = try await ThreeWithCards.booted.value
      let content = (0..<8 << 20).map { _ in UInt8.random(in: .min ... .max) }
      let folder = try TemporaryFolder()
      let sum = try await Tool.run(["sha256sum", folder.write(content, to: "content")]).prefix(64)
      let server = try ContentServer(content)
      try await expectLease(0, system)
      let received = try await system.run(
        "nc 10.0.2.2 \(server.port) < /dev/null | sha256sum", on: 0, within: .seconds(300))
      #expect(received.hasPrefix(sum))
    }

    @Test(arguments: 1...2)
    func `a card without messages is found at its line, which two VMs share`(number: Int) async throws {
      let system = try await ThreeWithCards.booted.value
      try await expectLease(number, system)
      let line = try await system.run(
        "awk '/IO-APIC.*eth1/ { print ($2 > 3 && $2 < 10000) }' /proc/interrupts", on: number)
      #expect(line == "1")
      let other = 3 - number
      let ping = try await system.run("dmesg | grep -c 'nobody cared'", on: other)
      #expect(ping == "0")
    }

    @Test(arguments: 0...1)
    func `a VM that reboots finds its card as new`(number: Int) async throws {
      let system = try await ThreeWithCards.booted.value
      system.select(number)
      system.enter("reboot")
      try await system.expect(.line("vm\(number) starts, for the 2nd time"), within: .seconds(120))
      try await system.logIn(number)
      try await expectLease(number, system)
    }

    @Test func `a card that is told to read what is not its VM's is stopped, and reported`() async throws {
      let system = try await ThreeWithCards.booted.value
      // The driver lets go; then the transmit ring is put where this VM has no memory, and the card told to read it.
      let setup = """
        cd /sys/bus/pci/devices/0000:00:02.0; echo 0000:00:02.0 > driver/unbind; \
        printf '\\006' | dd of=config bs=1 seek=4 conv=notrunc 2>/dev/null; \
        base=$(cut -d' ' -f1 resource | head -n1); set_register() { devmem $((base + $1)) 32 $2; }
        """
      try await system.run(setup, on: 0)
      try await system.run(
        "set_register 0x3800 0x40000000; set_register 0x3808 0x1000; set_register 0x400 0x3f0fa", on: 0)
      system.enter("set_register 0x3818 8")
      try await system.expectLog(
        [.line("vm0: DMA of 66:00.0 stopped, a read at 0x40000000: that is not its memory")])
      let ping = try await system.run("ping -c 3 -w 30 10.0.2.2 | grep received", on: 2)
      #expect(ping.contains("3 packets received, 0% packet loss"))

      try await system.ask("@r 0", for: "vm0 starts")
      try await system.logIn(0)
      try await expectLease(0, system)
    }
  }
}
