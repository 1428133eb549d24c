// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Guest memory for a test, zero until written, freed with it.
final class TestMemory {
  let guest: GuestMemory
  private let low: UnsafeMutableRawPointer
  private let high: UnsafeMutableRawPointer?

  init(low lowSize: UInt64, high highSize: UInt64 = 0) {
    low = .allocate(byteCount: Int(lowSize), alignment: 4096)
    low.initializeMemory(as: UInt8.self, repeating: 0, count: Int(lowSize))
    high = highSize == 0 ? nil : .allocate(byteCount: Int(highSize), alignment: 4096)
    high?.initializeMemory(as: UInt8.self, repeating: 0, count: Int(highSize))
    guest = GuestMemory(unsafeLow: low, lowSize: lowSize, high: high, highSize: highSize)
  }

  deinit {
    low.deallocate()
    high?.deallocate()
  }

  func read<T: FixedWidthInteger & BitwiseCopyable>(_ address: UInt64, as type: T.Type = T.self) throws -> T {
    try guest.read(GuestAddress(address), as: T.self)
  }

  func bytes(_ address: UInt64, _ count: Int) throws -> [UInt8] {
    try (0..<UInt64(count)).map { try read(address + $0, as: UInt8.self) }
  }
}
