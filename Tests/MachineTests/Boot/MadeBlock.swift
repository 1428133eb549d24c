// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// A block of LZ4, sequence by sequence, and what it unpacks to, byte by byte.
struct MadeBlock {
  private(set) var bytes: [UInt8] = []
  private(set) var output: [UInt8] = []

  /// Some literals, and `match` bytes (4 or more) that repeat those `distance` before.
  mutating func add(_ literals: [UInt8], distance: Int, match: Int) {
    begin(literals, matchBits: match - 4)
    bytes += [UInt8(distance & 0xff), UInt8(distance >> 8)]
    addRest(of: match - 4)
    for _ in 0..<match { output.append(output[output.count - distance]) }
  }

  /// The last sequence.
  mutating func end(_ literals: [UInt8]) { begin(literals, matchBits: 0) }

  private mutating func begin(_ literals: [UInt8], matchBits: Int) {
    bytes.append(UInt8(min(literals.count, 15) << 4 | min(matchBits, 15)))
    addRest(of: literals.count)
    bytes += literals
    output += literals
  }

  private mutating func addRest(of length: Int) {
    guard length >= 15 else { return }
    bytes += Array(repeating: 255, count: (length - 15) / 255) + [UInt8((length - 15) % 255)]
  }

  /// Any block.
  init(_ random: inout SplitMix64) {
    for _ in 0..<random.next() % 40 {
      let literals = Self.bytes(Self.length(&random, longest: 40), &random)
      let count = output.count + literals.count
      let reach = random.next() % 2 == 0 ? min(count, 20) : min(count, 0xffff)
      guard reach > 0 else { continue }
      add(literals, distance: 1 + Int(random.next() % UInt64(reach)), match: 4 + Self.length(&random, longest: 60))
    }
    end(Self.bytes(Self.length(&random, longest: 60), &random))
  }

  init() {}

  /// Mostly one that the token holds.
  private static func length(_ random: inout SplitMix64, longest: UInt64) -> Int {
    switch random.next() % 16 {
    case 0: Int(random.next() % 700)
    case 1, 2: Int(random.next() % longest)
    default: Int(random.next() % 16)
    }
  }

  private static func bytes(_ count: Int, _ random: inout SplitMix64) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }
}
