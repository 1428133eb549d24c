// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// What VMs do with a network card of the emulated computer, which is their eth1 and on a network of the emulator's own.
extension TestMachine {
  /// The emulator itself, on that network.
  static let emulator = "10.0.2.2"

  /// Has a VM's card lease an address, and ping whom it leased it from.
  func expectLease(_ number: Int) async throws {
    let lease = try await run("ip link set up dev eth1; udhcpc -n -t 10 -i eth1 2>&1 | tail -1", on: number)
    #expect(lease.contains("lease of 10.0.2.15 obtained from \(Self.emulator)"))
    try await expectAnswers(number)
  }

  /// Has a VM ping the emulator.
  func expectAnswers(_ number: Int) async throws {
    let ping = try await run("ping -c 3 -w 30 \(Self.emulator) | grep received", on: number)
    #expect(ping.contains("3 packets received, 0% packet loss"))
  }

  /// Has a VM download 8 MiB from this computer.
  func expectDownload(_ number: Int) async throws {
    let content = (0..<8 << 20).map { _ in UInt8.random(in: .min ... .max) }
    let folder = try TemporaryFolder()
    let sum = try await Tool.run(["sha256sum", folder.write(content, to: "content")]).prefix(64)
    let server = try ContentServer(content)
    let received = try await run(
      "nc \(Self.emulator) \(server.port) < /dev/null | sha256sum", on: number, within: .seconds(300))
    #expect(received.hasPrefix(sum))
  }

  /// Has a VM's card use its interrupt line, at a number that no PC's own devices have.
  func expectLine(_ number: Int) async throws {
    let line = try await run(
      "awk '/IO-APIC.*eth1/ { print ($2 > 3 && $2 < 10000) }' /proc/interrupts", on: number)
    #expect(line == "1")
  }

  /// Tells the card in a VM's slot 2 to read its ring of transmit descriptors at `address`, where the VM has no memory.
  func misdirectCard(of number: Int, to address: UInt32) async throws {
    // The driver lets go; then the ring is put there, and the card told to read it.
    try await run(
      """
      cd /sys/bus/pci/devices/0000:00:02.0; echo 0000:00:02.0 > driver/unbind; \
      printf '\\006' | dd of=config bs=1 seek=4 conv=notrunc 2>/dev/null; \
      base=$(cut -d' ' -f1 resource | head -n1); set_register() { devmem $((base + $1)) 32 $2; }
      """, on: number)
    try await run(
      "set_register 0x3800 0x\(String(address, radix: 16)); set_register 0x3808 0x1000; set_register 0x400 0x3f0fa",
      on: number)
    enter("set_register 0x3818 8")
  }
}

/// What a card that is told to write where its VM has no memory leads to.
struct DMAWall {
  /// A guest address behind the VM's memory; the computer has memory there.
  static let outside: UInt64 = 0x1000_0000
  /// A guest address that is the VM's, and that its kernel leaves alone.
  private static let inside = 0x4_0000

  let system: TestMachine
  let monitor: Monitor

  /// Has the card of VM `number` write frames where it may, and then where it may not.
  func expectHolds(on number: Int) async throws {
    try await system.paste("receive.sh", on: number)
    // The question's own address, which the answer goes to.
    let own = try await system.run("sh /tmp/receive.sh \(Self.inside); devmem \(Self.inside)", on: number)
    #expect(own == "received\n0x12005452", "what the card may write arrives")
    let before = try await memory()
    let answer = try await system.run("sh /tmp/receive.sh \(Self.outside)", on: number)
    #expect(answer == "received", "the card believes that it has written")
    #expect(try await memory() == before, "nothing else was changed")
  }

  /// The beginnings of the pages that are written to.
  private func memory() async throws -> [UInt32] {
    var words: [UInt32] = []
    for page in 0..<8 as Range<UInt64> { words += try await monitor.memory(at: Self.outside + page * 4096, words: 16) }
    return words
  }
}
