// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Foundation

/// Deterministic random numbers (SplitMix64).
struct ProcessorRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return word ^ word >> 31
  }

  /// How many rounds a fuzz test makes.
  static func rounds(_ count: Int) -> Int {
    count * (ProcessInfo.processInfo.environment["ROOST_FUZZ"].flatMap { Int($0) } ?? 1)
  }
}

/// Guest memory of `size` bytes for as long as `body` runs.
func withProcessorMemory(_ size: Int, _ body: (GuestMemory) throws -> Void) throws {
  let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
  buffer.initializeMemory(as: UInt8.self, repeating: 0, count: size)
  defer { buffer.deallocate() }
  try body(GuestMemory(unsafeLow: buffer, lowSize: UInt64(size)))
}
