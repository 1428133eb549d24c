// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// Two VMs with a card each behind AMD's IOMMU, booted once: root logged in on both.
private struct TwoBehindAMD {
  let system: TestMachine
  let monitor: Monitor

  static let booted = Task { try await TwoBehindAMD() }

  /// For the end of the suite.
  @Sendable static func end() async { await (try? booted.value)?.system.end() }

  private init() async throws {
    let computer = Computer(
      processors: 3, console: .com1,
      devices: [
        "-device", "amd-iommu,intremap=on",
        "-netdev", "user,id=net0", "-device", "e1000e,netdev=net0,bus=pcie.0,addr=4.0,romfile=",
        "-netdev", "user,id=net1", "-device", "e1000e,netdev=net1,bus=pcie.0,addr=8.0,romfile=",
      ])
    (system, monitor) = try await computer.bootWithMonitor("Tests/SystemTests/Systems/amd-iommu.yaml")
    try await system.logInEverywhere(0...1)
  }
}

extension SystemTests {
  /// Cards of VMs behind an IOMMU of AMD's kind. Each test leaves root logged in on both VMs.
  @Suite(.serialized, .ending(TwoBehindAMD.end))
  struct AMDRemappingTests {
    @Test func `a card leases an address, and its messages are remapped`() async throws {
      let system = try await TwoBehindAMD.booted.value.system
      let report = system.transcript.text
      #expect(report.contains("AMD-Vi: devices reach only the memory of their owners"))
      #expect(report.firstMatch(of: /interrupts +I\/O APICs: .*; remapped/) != nil)
      try await system.expectLease(0)
      #expect(try await system.run("grep -c 'PCI-MSI.*eth1' /proc/interrupts", on: 0) == "3")
      try await system.expectDownload(0)
    }

    @Test func `a card without messages uses its line`() async throws {
      let system = try await TwoBehindAMD.booted.value.system
      try await system.expectLease(1)
      try await system.expectLine(1)
    }

    @Test func `a VM that reboots finds its card as new`() async throws {
      let system = try await TwoBehindAMD.booted.value.system
      system.select(1)
      system.enter("reboot")
      try await system.expect(.line("vm1 starts, for the 2nd time"), within: .seconds(120))
      try await system.logIn(1)
      try await system.expectLease(1)
    }

    // QEMU's IOMMU of this kind reports no refused request (decision 14), so none is waited for.
    @Test func `a card that is told to write what is not its VM's changes nothing`() async throws {
      let booted = try await TwoBehindAMD.booted.value
      try await DMAWall(system: booted.system, monitor: booted.monitor).expectHolds(on: 0)
      try await booted.system.expectAnswers(1)
    }
  }
}
