// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Everything a console ever said, and those who wait for something on it.
///
/// Invariant: `plain` is `raw` without control sequences; all before `cursor` was matched or skipped; `arrivals` are
/// in order and the last one's offset is `plain.count`.
package final class Transcript: Sendable {
  private struct State {
    var raw: [UInt8] = []
    var plain: [UInt8] = []
    var stripper = PlainText()
    var arrivals: [(end: Int, time: ContinuousClock.Instant)] = []
    var cursor = 0
    var ended: String?
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var nextWaiter = 0

    /// All of the waiters, who are then none.
    mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
      defer { waiters = [:] }
      return Array(waiters.values)
    }
  }

  private let state = Mutex(State())

  package init() {}

  /// Bytes came in.
  package func append(_ bytes: some Sequence<UInt8>) {
    let woken = state.withLock { state in
      state.raw.append(contentsOf: bytes)
      state.plain.append(contentsOf: state.stripper.strip(bytes))
      state.arrivals.append((state.plain.count, .now))
      return state.takeWaiters()
    }
    for waiter in woken { waiter.resume() }
  }

  /// No more bytes will come; `reason` says why.
  package func end(_ reason: String) {
    let woken = state.withLock { state in
      state.ended = state.ended ?? reason
      return state.takeWaiters()
    }
    for waiter in woken { waiter.resume() }
  }

  /// Waits for `pattern` after the last match, and goes on behind it.
  package func expect(_ pattern: Pattern, within limit: Duration) async throws -> Match {
    let deadline = ContinuousClock.now + limit
    var search = Search(pattern)
    while true {
      let (match, ended, count) = try state.withLock { state in
        let match = try search.run(in: state.plain, from: state.cursor, arrivals: state.arrivals)
        if let match { state.cursor = match.end }
        return (match?.match, state.ended, state.plain.count)
      }
      if let match { return match }
      if let ended { throw failure("\(pattern) cannot come any more: \(ended)") }
      guard .now < deadline else { throw failure("\(pattern) did not come within \(limit)") }
      await change(after: count, until: deadline)
    }
  }

  /// Forgets what came up to now, so that only what is new can match.
  package func skipToEnd() { state.withLock { $0.cursor = $0.plain.count } }

  /// Where the search for the next pattern begins, in bytes of plain text.
  package var position: Int {
    get { state.withLock { $0.cursor } }
    set { state.withLock { $0.cursor = newValue } }
  }

  /// All of it, as a reader sees it.
  package var text: String { state.withLock { String(decoding: $0.plain, as: UTF8.self) } }

  /// All of it, byte by byte.
  package var raw: [UInt8] { state.withLock { $0.raw } }

  /// What is wrong, with the last 60 lines.
  package func failure(_ message: String) -> ConsoleFailure {
    let tail = state.withLock { String(decoding: $0.plain.suffix(16 << 10), as: UTF8.self) }
    let lines = tail.split(separator: "\n", omittingEmptySubsequences: false).suffix(60)
    return ConsoleFailure(
      description: "\(message). The console's last lines:\n" + lines.map { "    \($0)" }.joined(separator: "\n"))
  }

  /// Returns when there are more than `count` bytes of plain text, at the end, and at the deadline.
  private func change(after count: Int, until deadline: ContinuousClock.Instant) async {
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    let alarm = Task {
      try await Task.sleep(until: deadline)
      state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
    }
    await withCheckedContinuation { continuation in
      let isLate = state.withLock { state in
        if state.plain.count > count || state.ended != nil || .now >= deadline { return true }
        state.waiters[number] = continuation
        return false
      }
      if isLate { continuation.resume() }
    }
    alarm.cancel()
  }
}
