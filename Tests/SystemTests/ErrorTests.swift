// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests {
  /// NMIs and machine checks, which the emulator's own console makes. The processor says that it is Intel's, by whose rules
  /// QEMU's banks are made; two processors are parked, and the one that boots is left idle.
  ///
  /// Machine checks go to parked processors here: QEMU hands one that comes while a guest runs to that guest
  /// (decision 14).
  @Suite(.serialized)
  struct ErrorTests {
    /// MCG_STATUS: in progress, and what was interrupted can go on.
    private static let canRestart = "5"
    /// MCi_MISC: a physical address, of a page.
    private static let page = "0x8c"
    private static let patience = Duration.seconds(60)

    @Test func `NMIs and machine checks are told of, stop whom they must, and nobody else`() async throws {
      let computer = Computer(
        processor: "EPYC,+svm,+npt,vendor=GenuineIntel", processors: 5, console: .com1)
      let (system, monitor) = try await computer.bootWithMonitor("Tests/SystemTests/Systems/two.yaml")
      let row = try await system.expect(.line("vm1 +1 +128 MiB +0x([0-9a-f]+)"), within: .seconds(60))
      let start = try #require(row.captures.first.flatMap { UInt64($0, radix: 16) })
      try await system.expectAll([.text("vm0 login:"), .text("vm1 login:")], within: .seconds(600))

      let nmis = (0...1).map { Pattern.line("NMI on core \($0): from a button, a watchdog") }
      try await monitor.run("nmi")
      try await system.expectAll(nmis, within: Self.patience)
      system.type("@q")
      system.select(0)
      system.enter("")
      try await system.logIn(0)
      // Before the shell says so it has the terminal in raw mode, where Ctrl-C is only a character.
      system.enter("echo LO''OP; while :; do :; done")
      try await system.expect("LOOP\n")
      try await monitor.run("nmi")
      try await system.expectLog(nmis)
      try await system.ask("\u{3}", for: "^C")
      #expect(try await system.run("hostname", on: 0) == "vm0")

      let broken = "0x" + String(start + 0x5000, radix: 16)
      try await monitor.run("mce 4 1 0xbd000000000000c0 \(Self.canRestart) \(broken) \(Self.page)")
      let stops: [Pattern] = [
        .line(#"machine check on core \d, bank 1: memory scrubbing, uncorrected, not yet used"#),
        .line("vm1: memory error at guest address 0x5000: it is stopped"),
      ]
      try await system.expectLog(stops)
      try await system.expect(vm: 1, .off)
      #expect(try await system.run("hostname", on: 0) == "vm0")

      try await monitor.run("mce 4 1 0xbf80000000000134 \(Self.canRestart) \(broken) \(Self.page)")
      let ends: [Pattern] = [
        .line("kernel panic: machine check on core "), .line("  the processor's state is lost: nothing can be trusted"),
        .line("bank 1: cache, uncorrected"), .line("memory of vm1, guest address 0x5000"),
        .text("the machine restarts, as the description wants it"),
      ]
      try await system.expectAll(ends, within: Self.patience)
      await system.end()
    }
  }
}
