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

/// An emulated computer, put together by hand.
private struct Computer {
  var processor = "EPYC,+svm,+npt"
  var memory = "1G"
  var kernelArguments = ""

  /// Boots `description`; the console is on COM2.
  func boot(_ description: String) async throws -> TestMachine {
    let image = "\(Repository.root)/.build/\(description.split(separator: "/").last ?? "").image"
    try await Tool.run([Repository.roost, "build", "\(Repository.root)/\(description)", "-o", image])
    return try await TestMachine(command: [
      "qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", processor, "-smp", "2", "-m", memory,
      "-display", "none", "-nodefaults", "-no-reboot",
      "-serial", "null", "-serial", "unix:\(TestMachine.socket),server=on,wait=on",
      "-kernel", Repository.image("KernelImage"), "-initrd", image, "-append", kernelArguments,
    ])
  }
}
