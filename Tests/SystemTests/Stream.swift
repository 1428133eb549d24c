// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

/// A TCP stream between two VMs, whose content (`Tests/Guests/stream.sh`) this computer can make as well.
struct Stream {
  let from: Int
  let to: Int
  let mebibytes: Int
  var port = 5001

  /// MiB of a stream that is long; less for a computer with no time: `ROOST_STREAM_MIB=16`.
  static var usualSize: Int {
    ProcessInfo.processInfo.environment["ROOST_STREAM_MIB"].flatMap { Int($0) } ?? 256
  }

  /// The digest of what is sent.
  func expectedDigest() async throws -> String {
    let source = "\(Repository.root)/Tests/Guests/stream.sh"
    let text = try await Tool.run(["sh", "-c", "sh \(source) \(mebibytes) | sha256sum"])
    return String(text.prefix { $0 != " " })
  }

  /// Starts receiver and sender; both run in the background.
  func start(_ system: TestMachine) async throws {
    let receiver = "nc -l -p \(port) -e sh -c 'sha256sum > \(digest).new; mv \(digest).new \(digest)'"
    try await system.run("rm -f \(digest); { \(receiver) & }", on: to)
    // A connection that comes too early is refused.
    try await system.run("until netstat -ltn | grep -q ':\(port) '; do sleep 0.2; done", on: to)
    try await system.paste("stream.sh", on: from)
    // The program writes to the socket itself.
    let sender = "nc \(FourOnASwitch.address(to)) \(port) -e sh /tmp/stream.sh \(mebibytes)"
    try await system.run("rm -f \(done); { (\(sender); touch \(done)) & }", on: from)
  }

  /// Whether the sender still sends.
  func isRunning(_ system: TestMachine) async throws -> Bool {
    try await system.run("[ -e \(done) ] && echo done || echo running", on: from) == "running"
  }

  /// Waits for the receiver, and compares.
  func finish(_ system: TestMachine, within limit: Duration) async throws {
    let got = try await system.run(
      "until [ -e \(digest) ]; do sleep 0.5; done; cut -d' ' -f1 \(digest)", on: to, within: limit)
    let expected = try await expectedDigest()
    #expect(got == expected, "the stream from vm\(from) to vm\(to) arrived damaged")
  }

  private var digest: String { "/tmp/digest\(port)" }
  private var done: String { "/tmp/sent\(port)" }
}
