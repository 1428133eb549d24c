// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a person does at Roost's console. The keyboard is at the start of a line whenever none of these is under way.
extension TestMachine {
  /// Types a line and Enter.
  package func enter(_ line: String) { type(line + "\r") }

  /// Moves the keyboard to VM `number`.
  package func select(_ number: Int) { type("@\(number)") }

  /// Asks the console for something, such as `@l`, and waits for an answer.
  @discardableResult
  package func ask(
    _ command: String, for answer: Pattern, within limit: Duration = .seconds(60)
  ) async throws -> Match {
    type(command)
    return try await expect(answer, within: limit)
  }

  /// Waits for lines of the system's log, which is not shown while only one VM is.
  package func expectLog(_ patterns: [Pattern], within limit: Duration = .seconds(60)) async throws {
    type("@q")
    try await expectAll(patterns, within: limit)
    try await ask("@q", for: "only the VM with the keyboard is shown")
  }

  /// Waits until the list of VMs (`@l`) says that VM `number` is in `state`.
  package func expect(vm number: Int, _ state: MachineState, within limit: Duration = .seconds(120)) async throws {
    let deadline = ContinuousClock.now + limit
    let row = Pattern.line(#"\b\#(number)[ *]+vm\#(number) +(\w+) .*MiB"#)
    var match = try await ask("@l", for: row)
    while match.captures != [state.rawValue] {
      guard .now < deadline else {
        throw transcript.failure("VM \(number) is \(match.captures), not \(state.rawValue)")
      }
      try await Task.sleep(for: .seconds(1))
      match = try await ask("@l", for: row)
    }
  }

  /// Logs in as root on VM `number`, which shows or will show its login prompt.
  package func logIn(_ number: Int, within limit: Duration = .seconds(300)) async throws {
    select(number)
    try await expect(.line("login: ?$"), within: limit)
    enter("root")
    try await expect(.line("Password: ?$"), within: limit)
    enter("root")
    try await expect(.line("[#$] ?$"), within: limit)
  }

  /// Waits until a system that has just been started shows the prompts of its VMs, which are named vm0 and so on, and
  /// logs in on each. From then on only the VM with the keyboard is shown.
  package func logInEverywhere(_ numbers: some Collection<Int>, within limit: Duration = .seconds(600)) async throws {
    try await expectAll(numbers.map { .text("vm\($0) login:") }, within: limit)
    type("@q")
    for number in numbers {
      select(number)
      // Its prompt was seen and is in the past: Enter brings the next one.
      enter("")
      try await logIn(number)
    }
  }

  /// Runs `command` in the shell of VM `number`, where somebody is logged in.
  /// - Returns: What it printed, without the blanks around it.
  @discardableResult
  package func run(_ command: String, on number: Int, within limit: Duration = .seconds(120)) async throws -> String {
    let mark = TestMachine.marks.withLock { mark in
      mark += 1
      return mark
    }
    select(number)
    // The quotation marks keep the echo of what is typed from looking like the answer.
    enter("echo B''EGIN\(mark); \(command); echo E''ND\(mark)")
    try await expect("BEGIN\(mark)\n", within: limit)
    let before = try await expect("END\(mark)\n", within: limit).before
    return String(before.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }

  private static let marks = Mutex(0)
}

/// What `@l` says of a VM.
package enum MachineState: String, Sendable {
  case running
  case off
  case crashed
}
