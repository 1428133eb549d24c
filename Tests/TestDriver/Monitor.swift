// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// QEMU's own console, which shows what is in the computer's memory, whoever's it is.
package final class Monitor: Sendable {
  private let transcript = Transcript()
  private let console: ConsoleSocket

  /// Connects to the monitor that listens at `path`.
  package init(_ path: String) async throws {
    guard let console = ConsoleSocket(.path(path), transcript: transcript) else {
      throw ConsoleFailure(description: "Nobody listens at \(path)")
    }
    self.console = console
    _ = try await transcript.expect("(qemu) ", within: .seconds(30))
  }

  /// Gives a command that answers nothing.
  package func run(_ command: String) async throws {
    console.type(Array("\(command)\n".utf8))
    _ = try await transcript.expect("(qemu) ", within: .seconds(30))
  }

  /// `count` words of 32 bits at a physical address.
  package func memory(at address: UInt64, words count: Int) async throws -> [UInt32] {
    console.type(Array("xp /\(count)xw 0x\(String(address, radix: 16))\n".utf8))
    // The command comes back first, with what a line editor makes of it; then lines of an address and four words.
    let digits = String(address, radix: 16)
    let first = String(repeating: "0", count: max(16 - digits.count, 0)) + digits
    _ = try await transcript.expect(.text("\(first): "), within: .seconds(30))
    let lines = try await transcript.expect("(qemu) ", within: .seconds(30)).before
    let words = lines.matches(of: /0x([0-9a-f]{8})/).compactMap { UInt32($0.1, radix: 16) }
    guard words.count == count else { throw ConsoleFailure(description: "No \(count) words: \(lines)") }
    return words
  }
}
