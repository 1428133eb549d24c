// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests {
  /// Computers on which the system cannot run, and a kernel that fails: all of them end in words, not in silence.
  @Suite(.serialized)
  struct RefusalTests {
    @Test func `too little memory is said`() async throws {
      let machine = try await Computer(memory: "4G").boot("systems/supermicro.yaml")
      try await machine.expect(.line(#"cannot start: VM vm\d wants 1900 MiB, only \d+ MiB are left; add memory"#))
      await machine.end()
    }

    @Test func `a processor without virtualisation is named as the reason`() async throws {
      let machine = try await Computer(processor: "EPYC,-svm").boot("systems/minimal.yaml")
      try await machine.expect(.line("cannot start: this processor has no AMD SVM"))
      await machine.end()
    }

    @Test func `a processor without nested paging is named as the reason`() async throws {
      let machine = try await Computer(processor: "EPYC,+svm,-npt").boot("systems/minimal.yaml")
      try await machine.expect(.line("cannot start: .*no nested paging"))
      await machine.end()
    }

    @Test func `devices without an IOMMU are refused unless the description says otherwise`() async throws {
      let cards = ["4.0", "8.0"].flatMap { ["-device", "e1000e,bus=pcie.0,addr=\($0),romfile="] }
      let machine = try await Computer(processors: 3, console: .com1, devices: cards)
        .boot("Tests/SystemTests/Systems/amd-iommu.yaml")
      for (name, card) in [("vm0", "00:04.0"), ("vm1", "00:08.0")] {
        try await machine.expect(
          .line("\(name): no IOMMU keeps \(card) to its memory, and the description does not allow that"))
      }
      for _ in 0..<2 { try await machine.expect(.line("vm[01] is off")) }
      await machine.end()
    }

    @Test func `a kernel panic shows registers and who called whom`() async throws {
      let machine = try await Computer(kernelArguments: "panic-test").boot("systems/minimal.yaml")
      try await machine.expect(.line("kernel panic"))
      try await machine.expect(.line("rip 0x[0-9a-f]{8,} rsp 0x[0-9a-f]{8,}"))
      for _ in 0..<2 { try await machine.expect(.line(#"at \S.* \+ 0x[0-9a-f]+ \(0x[0-9a-f]+\)"#)) }
      await machine.end()
    }
  }
}
