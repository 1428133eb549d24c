// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The memory of one request, piece by piece, as it is written into the request's command table.
package struct ScatterList {
  /// The most bytes of one entry (AHCI 1.3.1, §4.2.3.3).
  static var entryLimit: UInt64 { 4 * .MiB }

  private let memory: PortMemory
  private let table: Int
  private let highestAddress: UInt64
  /// Entries in use.
  private(set) var count = 0
  /// Bytes of all pieces.
  private(set) var byteCount: UInt64 = 0
  /// The last entry, which the next piece may continue.
  private var last = (address: UInt64(0), byteCount: UInt64(0))

  init(memory: PortMemory, table: Int, highestAddress: UInt64) {
    self.memory = memory
    self.table = table
    self.highestAddress = highestAddress
  }

  /// Adds `byteCount` bytes at `address`, as the controller sees it. Both must be even; pieces that touch are joined.
  package mutating func append(_ address: UInt64, byteCount: UInt64) throws(RequestError) {
    guard byteCount > 0, address.isAligned(to: 2), byteCount.isAligned(to: 2) else { throw .oddSegment }
    guard address <= highestAddress, byteCount - 1 <= highestAddress - address else { throw .addressTooHigh }
    // No request is longer: this keeps the sum from overflowing and the loop below short.
    guard byteCount <= UInt64(PortMemory.entryCount) * Self.entryLimit - self.byteCount else { throw .tooManySegments }
    self.byteCount += byteCount
    var next = address
    var rest = byteCount
    if count > 0, last.address &+ last.byteCount == next {
      let joined = min(rest, Self.entryLimit - last.byteCount)
      last.byteCount += joined
      memory.setEntry(count - 1, ofTable: table, address: last.address, byteCount: last.byteCount)
      next &+= joined
      rest -= joined
    }
    while rest > 0 {
      guard count < PortMemory.entryCount else { throw .tooManySegments }
      last = (next, min(rest, Self.entryLimit))
      memory.setEntry(count, ofTable: table, address: last.address, byteCount: last.byteCount)
      count += 1
      next &+= last.byteCount
      rest -= last.byteCount
    }
  }
}
