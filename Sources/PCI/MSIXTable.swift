// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The table of a function's MSI-X messages, and the array of those that are pending (PCI Local Bus 3.0, §6.8.2).
///
/// A message that is raised is pending until `takeMessage` hands it over, which it does for vectors without a mask:
/// whether the function as a whole may send is the owner's to know.
package struct MSIXTable: Sendable {
  /// The most vectors of a table.
  package static var capacity: Int { 16 }
  /// Bytes of one entry: address, data, and vector control, whose bit 0 masks.
  package static var entrySize: Int { 16 }

  private var words: InlineArray<64, UInt32> = InlineArray(repeating: 0)
  private var pending: UInt32 = 0
  /// Vectors in the table.
  package let count: Int

  /// A table whose vectors are masked, as after a reset.
  /// - Precondition: `count` is 1 to `capacity`.
  package init(count: Int) {
    precondition(count >= 1 && count <= Self.capacity)
    self.count = count
    for vector in 0..<count { words[4 * vector + 3] = 1 }
  }

  /// Dword `index` of the table; what lies behind the table reads as zero.
  package func read(_ index: Int) -> UInt32 { index >= 0 && index < 4 * count ? words[index] : 0 }

  /// Dword `index` of the pending bits, which software cannot write.
  package func readPending(_ index: Int) -> UInt32 { index == 0 ? pending : 0 }

  /// Sets dword `index` of the table; a write behind the table is lost.
  package mutating func write(_ value: UInt32, at index: Int) {
    guard index >= 0, index < 4 * count else { return }
    switch index & 3 {
    case 0: words[index] = value & ~3  // bits 1 and 0 are always zero (§6.8.2.7)
    case 3: words[index] = value & 1
    default: words[index] = value
    }
  }

  /// Makes the message of `vector` pending; a vector that is not in the table has none.
  package mutating func raise(_ vector: Int) {
    guard vector >= 0, vector < count else { return }
    pending |= 1 << UInt32(vector)
  }

  /// The next message that is pending and not masked, which with this call counts as sent.
  package mutating func takeMessage() -> InterruptMessage? {
    var candidates = pending
    while candidates != 0 {
      let vector = candidates.trailingZeroBitCount
      if let message = message(vector) {
        pending &= ~(1 << UInt32(vector))
        return message
      }
      candidates &= candidates - 1
    }
    return nil
  }

  /// The message of `vector`; `nil` while it is masked, or if it is not in the table.
  package func message(_ vector: Int) -> InterruptMessage? {
    guard vector >= 0, vector < count, words[4 * vector + 3] & 1 == 0 else { return nil }
    return InterruptMessage(
      address: UInt64(words[4 * vector + 1]) << 32 | UInt64(words[4 * vector]), data: words[4 * vector + 2])
  }

  /// Forgets what is pending.
  package mutating func withdrawAll() { pending = 0 }
}
