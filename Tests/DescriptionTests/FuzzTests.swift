// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Description

/// Pieces that mean something in YAML or in a description.
private let pieces = [
  ":", ": ", "- ", "? ", "&a ", "*a", "!x ", "<<: ", "{", "}", "[", "]", "\"", "'", "|\n", ">\n", "#", "\n", "\r\n",
  "\t", "---\n", "...\n", "%YAML 1.1\n", "\\x00", "\u{2028}", "\u{E000}", "memory", "vm0", "999999999 GiB", "é", "",
  "switches: ", "nics: ", "trunk: ", "lan", "02:00:00:00:aa:01", "10-20", "999999999 Gbit/s",
]

@Test func `a garbled description is accepted or refused, but never a trap`() throws {
  let seeds = try ["refused", "accepted"].flatMap { kind in
    try Fixture.names(kind).map { try Fixture.bytes(kind, $0) }
  }
  var random = SplitMix64(seed: 1)

  for _ in 0..<fuzzRounds(3_000) {
    var bytes = seeds.randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 1...6, using: &random) { garble(&bytes, &random) }
    do {
      let system = try Description.parse(bytes, file: "x.yaml", folder: "/no-such-folder")
      #expect(!system.machines.isEmpty)
    } catch {
      #expect(!error.errors.isEmpty)
      #expect(error.errors.allSatisfy { $0.place.line >= 1 && $0.place.column >= 1 })
    }
  }
}

private func garble(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
  let start = Int.random(in: 0...bytes.count, using: &random)
  let end = min(bytes.count, start + Int.random(in: 0...12, using: &random))
  switch Int.random(in: 0..<4, using: &random) {
  case 0: bytes.removeSubrange(start..<end)
  case 1: bytes.insert(contentsOf: bytes[start..<end], at: Int.random(in: 0...bytes.count, using: &random))
  case 2: bytes.insert(contentsOf: Array((pieces.randomElement(using: &random) ?? "").utf8), at: start)
  default: if start < bytes.count { bytes[start] ^= UInt8(1 << Int.random(in: 0..<8, using: &random)) }
  }
}
