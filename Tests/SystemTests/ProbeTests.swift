// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

extension SystemTests {
  /// `roost probe` on real Linuxes: this one, and one in a VM.
  @Suite(.serialized)
  struct ProbeTests {
    private static let folder = "\(Repository.root)/.build/probe"

    /// Runs a shell script with `roost` as its first argument, in an empty folder.
    private func run(_ script: String) async throws -> String {
      try await Tool.run(["sh", "-c", "cd '\(Self.folder)' && \(script)", Repository.roost])
    }

    init() throws {
      try? FileManager.default.removeItem(atPath: Self.folder)
      try FileManager.default.createDirectory(atPath: Self.folder, withIntermediateDirectories: true)
    }

    @Test func `what it writes here is a description, from a saved machine too`() async throws {
      // Status 3 says that this computer is not fit, which is no failure of the test.
      _ = try await run(#""$0" probe --quiet > live.yaml || test $? = 3; "$0" check live.yaml"#)
      _ = try await run(#""$0" probe --quiet --save machine"#)
      _ = try await run(#""$0" probe --quiet --from machine > saved.yaml || test $? = 3; cmp live.yaml saved.yaml"#)
      _ = try await run(#""$0" probe --script > save.sh; sh save.sh again"#)
      _ = try await run(#""$0" probe --quiet --from again > script.yaml || test $? = 3; cmp live.yaml script.yaml"#)
    }

    @Test func `a VM is saved by the script and described elsewhere`() async throws {
      let script = try await run(#""$0" probe --script"#)
      let machine = try await TestMachine.boot("systems/minimal.yaml")
      try await machine.expect("tiny login:", within: .seconds(600))
      machine.type("@q")
      machine.enter("")
      try await machine.logIn(0)
      // Before the shell has let go of the terminal, it would throw away what is typed.
      machine.enter("echo R''EADY; cat > save.sh; echo S''AVED")
      try await machine.expect("READY\n")
      machine.type(script.replacing("\n", with: "\r") + "\u{4}")
      try await machine.expect("SAVED\n", within: .seconds(120))
      let saved = try await machine.run("sh save.sh saved; tar cz saved | base64", on: 0)
      await machine.end()

      try saved.write(toFile: Self.folder + "/saved.txt", atomically: true, encoding: .utf8)
      _ = try await run("base64 -d saved.txt | tar xz")
      _ = try await run(#""$0" probe --quiet --from saved > vm.yaml || test $? = 3; "$0" check vm.yaml"#)
      let description = try await run("cat vm.yaml")
      #expect(description.contains("1 I/O APIC, with lines from 0"))
      #expect(description.contains("the console is com1"))
    }
  }
}
