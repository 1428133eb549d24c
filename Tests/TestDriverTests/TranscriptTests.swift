// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// How one waits for what a console says.
struct TranscriptTests {
  @Test func `what is already there is found, and found once`() async throws {
    let transcript = Transcript()
    transcript.append("one two one".utf8)

    #expect(try await transcript.expect("one", within: .zero).before == "")
    #expect(try await transcript.expect("one", within: .zero).before == " two ")
    await #expect(throws: ConsoleFailure.self) { try await transcript.expect("one", within: .zero) }
  }

  @Test func `what comes later, in pieces, is waited for`() async throws {
    let transcript = Transcript()
    async let match = transcript.expect("vm0 login:", within: .seconds(600))

    for piece in ["boot\nvm", "0 \u{1b}[1", "mlog", "in: "] {
      await Task.yield()
      transcript.append(piece.utf8)
    }

    #expect(try await match.line == "vm0 login: ")
  }

  @Test func `an expression sees single lines, the unfinished last one too`() async throws {
    let transcript = Transcript()
    transcript.append("vm1 │ up 3.5\nvm2 │ up".utf8)

    await #expect(throws: ConsoleFailure.self) { try await transcript.expect(.line("vm1.*vm2"), within: .zero) }
    #expect(try await transcript.expect(.line(#"^vm1 │ up (\d+)"#), within: .zero).captures == ["3"])
    async let match = transcript.expect(.line(#"^vm2 │ up (\d+)\.\d"#), within: .seconds(600))
    transcript.append(" 4.25\n".utf8)
    #expect(try await match.captures == ["4"])
  }

  @Test func `a group never catches the half of a number`() async throws {
    let transcript = Transcript()
    transcript.append("commands=1090 interrupts=10".utf8)
    let pattern = Pattern.line(#"commands=(\d+) interrupts=(\d+)"#)
    await #expect(throws: ConsoleFailure.self) { try await transcript.expect(pattern, within: .zero) }
    async let match = transcript.expect(pattern, within: .seconds(600))
    transcript.append("89\n".utf8)
    #expect(try await match.captures == ["1090", "1089"])
  }

  @Test func `a whole line is one with its end`() async throws {
    let transcript = Transcript()
    transcript.append("vm1 │ ticks 4".utf8)
    await #expect(throws: ConsoleFailure.self) {
      try await transcript.expect(.wholeLine(#"ticks (\d+)"#), within: .zero)
    }
    async let match = transcript.expect(.wholeLine(#"ticks (\d+)"#), within: .seconds(600))
    transcript.append("2\r\nvm2".utf8)
    #expect(try await match.captures == ["42"])
  }

  @Test func `a failure shows the last 60 lines`() async throws {
    let transcript = Transcript()
    transcript.append((1...100).map { "line \($0)" }.joined(separator: "\n").utf8)

    let failure = try await #require(throws: ConsoleFailure.self) {
      try await transcript.expect("never", within: .milliseconds(10))
    }

    #expect(failure.description.contains("\"never\" did not come within"))
    #expect(failure.description.contains("    line 41\n"))
    #expect(!failure.description.contains("line 40\n"))
  }

  @Test func `whoever waits learns that the console is gone`() async throws {
    let transcript = Transcript()
    async let match = transcript.expect("never", within: .seconds(600))
    transcript.end("the console was closed")

    do {
      _ = try await match
      Issue.record("There is nothing to match.")
    } catch let failure as ConsoleFailure {
      #expect(failure.description.contains("cannot come any more: the console was closed"))
    }
  }
}
