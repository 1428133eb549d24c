// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Terminal

/// What the console says of switches.
@Suite struct NetworkTests {
  private func bench(_ machines: Int = 3, switches: [String] = ["lan"]) throws -> Bench {
    var bench = try Bench(machines: machines, switches: switches)
    bench.settle()
    _ = bench.output()
    return bench
  }

  private func port(_ machine: String, _ card: UInt32 = 0, state: PortState = .up) -> PortCounters {
    var port = PortCounters()
    port.machine = Bench.name(machine)
    port.card = card
    port.state = state.rawValue
    return port
  }

  @Test func `the table shows each switch with its ports, and drops only where there are some`() throws {
    var bench = try bench(switches: ["lan", "uplink", "spare"])
    var first = port("vm0")
    (first.sent, first.sentBytes, first.delivered, first.deliveredBytes) = (1_234_567, 1_300_000_000, 0, 999)
    (first.interrupts, first.kicks) = (123_456, 7)
    first.refused[RefusalReason.spoofed.rawValue] = 12
    first.refused[5] = 99
    first.lost[LossReason.full.rawValue] = 5
    bench.system.switches[0].portCount = 2
    bench.system.switches[0].ports[0] = first
    bench.system.switches[0].ports[1] = port("vm1", 3, state: .failed)
    bench.system.switches[1].portCount = 1
    bench.system.switches[1].ports[0] = port("gateway-of-a-long-name-0", state: .down)
    bench.system.statuses[5].starts = 2

    bench.type("@n\r")

    #expect(
      bench.read() == [
        "roost │ switch lan: running, started once",
        "roost │   port      state       sent    bytes  received    bytes  interrupts     kicks",
        "roost │   vm0 eth0  up       1234567  1.2 GiB         0    999 B      123456         7",
        "roost │     frames from it dropped: 12 (the source address is not the card's)",
        "roost │     frames for it dropped: 5 (its driver gave no buffers for too long)",
        "roost │   vm1 eth3  failed         0      0 B         0      0 B           0         0",
        "roost │ switch uplink: running, started twice",
        "roost │   port                           state       sent    bytes  received    bytes  interrupts     kicks",
        "roost │   gateway-of-a-long-name-0 eth0  down           0      0 B         0      0 B           0         0",
        "roost │ switch spare: running, started once, no card is on it", "",
      ])
  }

  @Test func `a switch that does not run is said to`() throws {
    var bench = try bench()
    bench.system.statuses[4].state = DomainState.crashed.rawValue
    bench.system.statuses[4].starts = 9

    bench.type("@n\r")

    #expect(bench.read() == ["roost │ switch lan: crashed, started 9 times, no card is on it", ""])
  }

  @Test func `a system without a switch says so`() throws {
    var bench = try bench(switches: [])

    bench.type("@n\r")

    #expect(bench.read() == ["roost │ there is no switch: VMs reach each other by no network", ""])
  }

  @Test(
    arguments: [
      (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (10_239, "9.9 KiB"), (10_240, "10 KiB"), (1_048_575, "1023 KiB"),
      (1_048_576, "1.0 MiB"), (12_345_678, "11 MiB"), (5 << 40, "5.0 TiB"), (UInt64.max, "15 EiB"),
    ] as [(UInt64, String)])
  func `bytes are shown in the unit that suits them`(bytes: UInt64, text: String) throws {
    var bench = try bench()
    bench.system.switches[0].portCount = 1
    bench.system.switches[0].ports[0] = port("vm0")
    bench.system.switches[0].ports[0].sentBytes = bytes

    bench.type("@n\r")

    #expect(bench.read()[2].contains("  up             0 \(String(repeating: " ", count: 8 - text.count))\(text)  "))
  }

  @Test func `large numbers stand apart`() throws {
    var bench = try bench()
    bench.system.switches[0].portCount = 1
    bench.system.switches[0].ports[0] = port("vm0", state: .failed)
    bench.system.switches[0].ports[0].sent = .max
    bench.system.switches[0].ports[0].kicks = .max

    bench.type("@n\r")

    let words = bench.read()[2].split(separator: " ")
    #expect(words.prefix(7) == ["roost", "│", "vm0", "eth0", "failed", "18446744073709551615", "0"])
    #expect(words.last == "18446744073709551615")
  }

  @Test func `the counters of a VM's ports are lines of name=number`() throws {
    var bench = try bench(switches: ["lan", "uplink"])
    var counted = port("vm1", 1)
    (counted.sent, counted.sentBytes, counted.forwarded, counted.copies) = (1, 2, 3, 4)
    (counted.delivered, counted.deliveredBytes, counted.interrupts, counted.kicks) = (5, 6, 7, 8)
    for index in 0..<5 { counted.refused[index] = UInt64(10 + index) }
    for index in 0..<5 { counted.lost[index] = UInt64(20 + index) }
    bench.system.switches[0].portCount = 2
    bench.system.switches[0].ports[0] = port("vm0")
    bench.system.switches[0].ports[1] = port("vm1", state: .failed)
    bench.system.switches[1].portCount = 1
    bench.system.switches[1].ports[0] = counted
    bench.system.statuses[5].starts = 3

    bench.type("@n1")
    let lines = bench.read()

    #expect(lines.dropLast().allSatisfy { $0.hasPrefix("roost │ NET ") && $0.count <= 8 + LogLine.rowCapacity })
    #expect(lines.suffix(2) == ["roost │ NET vm1 ports=2", ""])
    let lan = fields(lines, "roost │ NET switch=lan port=vm1.eth0")
    #expect(lan.prefix(3) == ["starts=1", "up=0", "failed=1"])
    #expect(
      fields(lines, "roost │ NET switch=uplink port=vm1.eth1") == [
        "starts=3", "up=1", "failed=0", "sent=1", "sent_bytes=2", "forwarded=3", "copies=4", "delivered=5",
        "delivered_bytes=6", "interrupts=7", "kicks=8", "refused_malformed=10", "refused_spoofed=11",
        "refused_vlan=12", "refused_no_receiver=13", "refused_local=14", "lost_full=20", "lost_down=21",
        "lost_too_long=22", "lost_filtered=23", "lost_unsupported=24",
      ])
  }

  private func fields(_ lines: [String], _ subject: String) -> [Substring] {
    lines.filter { $0.hasPrefix(subject + " ") }.flatMap { $0.dropFirst(subject.count).split(separator: " ") }
  }

  @Test func `no number is cut, however large all of them are`() throws {
    let name = "machine-of-24-characters"
    var bench = try Bench(machines: 1, switches: ["network-of-24-characters"]) { _ in name }
    bench.settle()
    _ = bench.output()
    var full = port(name, 3)
    (full.sent, full.sentBytes, full.forwarded, full.copies) = (.max, .max, .max, .max)
    (full.delivered, full.deliveredBytes, full.interrupts, full.kicks) = (.max, .max, .max, .max)
    for index in full.refused.indices { full.refused[index] = .max }
    for index in full.lost.indices { full.lost[index] = .max }
    bench.system.switches[0].portCount = 1
    bench.system.switches[0].ports[0] = full

    bench.type("@n0")

    let fields = fields(bench.read(), "roost │ NET switch=network-of-24-characters port=\(name).eth3")
    #expect(fields.count == PortField.count)
    #expect(fields.dropFirst(3).allSatisfy { $0.hasSuffix("=18446744073709551615") })
  }

  @Test func `a VM without a card has no ports`() throws {
    var bench = try bench()

    bench.type("@n 2")

    #expect(bench.read() == ["roost │ NET vm2 ports=0", ""])
  }

  @Test func `a command that is not finished waits`() throws {
    var bench = try bench()

    bench.type("@n")
    #expect(bench.read().last == "roost │ @n")
    bench.type("x")
    #expect(bench.read().last { !$0.isEmpty } == "roost │ @nx: the number of a VM is missing; @l lists them")
    bench.type("@n7")
    #expect(bench.read().last { !$0.isEmpty } == "roost │ @n7: there is no VM 7; @l lists them")
  }

  @Test func `what a switch logs stands behind its name`() throws {
    var bench = try bench()

    bench.system.log("port of vm0 eth0 is shut down", from: 4, level: .warning)
    bench.settle()

    #expect(bench.read() == ["lan │ port of vm0 eth0 is shut down", ""])
  }

  @Test func `a switch that writes what it likes harms nobody`() throws {
    var bench = try bench(switches: (0..<16).map { "s\($0)" })
    for number in 0..<16 {
      bench.system.switches[number].portCount = .max
      for index in 0..<16 {
        var port = port("\u{1b}[2Jvm0\n", .max)
        port.state = .max
        for reason in port.refused.indices { port.refused[reason] = .max }
        for reason in port.lost.indices { port.lost[reason] = .max }
        bench.system.switches[number].ports[index] = port
      }
    }

    bench.type("@n\r")
    let lines = bench.read()

    #expect(lines.count { $0.hasPrefix("roost │ switch s") } == 16)
    #expect(lines.count { $0.hasPrefix("roost │   ?[2Jvm0? eth4294967295  unknown") } == 256)
    #expect(lines.count { $0.hasPrefix("roost │     frames ") } == 256 * 10)
    #expect(bench.console.networkPlace == nil)

    for number in 0..<16 {
      for index in 0..<16 { bench.system.switches[number].ports[index].machine = Bench.name("vm0") }
    }
    bench.type("@n0")
    #expect(bench.read().contains("roost │ NET vm0 ports=8"))
  }
}
