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

    @Test func `a kernel panic shows registers and who called whom`() async throws {
      let machine = try await Computer(kernelArguments: "panic-test").boot("systems/minimal.yaml")
      try await machine.expect(.line("kernel panic"))
      try await machine.expect(.line("rip 0x[0-9a-f]{8,} rsp 0x[0-9a-f]{8,}"))
      for _ in 0..<2 { try await machine.expect(.line(#"at \S.* \+ 0x[0-9a-f]+ \(0x[0-9a-f]+\)"#)) }
      await machine.end()
    }
  }
}
