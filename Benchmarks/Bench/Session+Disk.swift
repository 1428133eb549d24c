// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

extension Session {
  /// How fast a guest moves data to and from its part of a SATA disk, past its own cache.
  func measureDisk(_ results: inout Measurements) async throws {
    try await machine.expect(.wholeLine("BENCH up"), within: .seconds(180))
    machine.type("disk\n")
    try await machine.expect(.wholeLine("BENCH disk /dev/"), within: .seconds(120))
    // Times 60 MiB, and reads: long enough to tell, at the speed of each.
    let (passes, reads): (UInt16, UInt16) = subject == .kvm ? (2, 1000) : (8, 4000)
    let megabytes = Double(passes) * 60 * Session.megabytes
    results.add(megabytes / (try await time("read", passes)), .diskRead, subject)
    results.add(megabytes / (try await time("write", passes)), .diskWrite, subject)
    results.add(Double(reads) / (try await time("single", reads)), .diskSingle, subject)
    results.add(Double(2 * reads) / (try await time("queued", 2 * reads)), .diskQueued, subject)
  }

  /// Seconds that vm0 takes for it.
  private func time(_ word: String, _ number: UInt16) async throws -> Double {
    let (begin, end) = try await span(word, number)
    if machine.transcript.text.contains("BENCH lost") { throw machine.transcript.failure("It failed") }
    return (end.time - begin.time).seconds
  }
}
