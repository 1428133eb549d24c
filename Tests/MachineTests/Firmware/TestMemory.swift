// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Foundation

/// Guest memory for a test, zero until written, freed with it.
final class TestMemory {
  let guest: GuestMemory
  private let low: UnsafeMutableRawPointer
  private let high: UnsafeMutableRawPointer?

  init(low lowSize: UInt64, base: UInt64 = 0, high highSize: UInt64 = 0) {
    guard let bytes = calloc(Int(lowSize), 1) else { fatalError("no memory for the test") }
    low = bytes
    high = highSize == 0 ? nil : calloc(Int(highSize), 1)
    guest = GuestMemory(unsafeLow: low, lowSize: lowSize, base: base, high: high, highSize: highSize)
  }

  deinit {
    free(low)
    free(high)
  }

  func read<T: FixedWidthInteger & BitwiseCopyable>(_ address: UInt64, as type: T.Type = T.self) throws -> T {
    try guest.read(GuestAddress(address), as: T.self)
  }

  func bytes(_ address: UInt64, _ count: Int) throws -> [UInt8] {
    try (0..<UInt64(count)).map { try read(address + $0, as: UInt8.self) }
  }
}
