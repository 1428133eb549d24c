// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension TestMachine {
  /// Pastes a script of the folder `Tests/Guests` into the file /tmp/`name` of VM `number`.
  func paste(_ name: String, on number: Int) async throws {
    let text = try Repository.text("Tests/Guests/\(name)")
    try await paste(text, into: "cat > /tmp/\(name)", on: number)
    let size = try await run("wc -c < /tmp/\(name)", on: number)
    try #require(size == "\(text.utf8.count)", "what was pasted arrived whole")
  }

  /// Compiles a program of the folder `Tests/Guests` for a guest, without any library, and pastes it into the file
  /// /tmp/`name` of VM `number`.
  func pasteProgram(_ name: String, on number: Int) async throws {
    let program = "\(Repository.root)/.build/\(name)"
    // The compiler comes with Swift.
    try await Tool.run([
      "clang", "--target=i386-unknown-linux-gnu", "-march=i686", "-Os", "-Wall", "-Werror", "-ffreestanding",
      "-fno-stack-protector", "-fno-pie", "-nostdlib", "-static", "-fuse-ld=lld", "-Wl,-s", "-Wl,--build-id=none",
      "-o", program, "\(Repository.root)/Tests/Guests/\(name).c",
    ])
    let text = try await Tool.run(["sh", "-c", "gzip -9nc \(program) | base64"])
    try await paste(text, into: "base64 -d | gunzip > /tmp/\(name)", on: number)
    let expected = try await Tool.run(["sha256sum", program]).prefix { $0 != " " }
    let digest = try await run("chmod +x /tmp/\(name); sha256sum < /tmp/\(name) | cut -d' ' -f1", on: number)
    try #require(digest == expected, "what was pasted arrived whole")
  }

  /// Starts a command that reads its input, and pastes `text` for it.
  private func paste(_ text: String, into command: String, on number: Int) async throws {
    select(number)
    enter("echo P''ASTE; \(command)")
    try await expect("PASTE\n")
    type(text.replacing("\n", with: "\r") + "\u{4}")
  }
}
