// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The checksum of GPT headers and entry arrays: CRC-32 with the reflected polynomial 0xEDB88320 (UEFI 2.10, §5.3.1).
package struct CRC32: Sendable {
  /// The remainders of the sixteen half bytes: small enough to be made on the stack, where a table of 256 is not.
  private var remainders = InlineArray<16, UInt32>(repeating: 0)
  private var state = UInt32.max

  package init() {
    for index in 0..<16 {
      var remainder = UInt32(truncatingIfNeeded: index)
      for _ in 0..<4 { remainder = (remainder >> 1) ^ (remainder & 1 == 0 ? 0 : 0xedb8_8320) }
      remainders[index] = remainder
    }
  }

  /// The checksum of all bytes so far.
  package var value: UInt32 { ~state }

  package mutating func add(_ byte: UInt8) {
    state ^= UInt32(byte)
    state = (state >> 4) ^ remainders[Int(state & 15)]
    state = (state >> 4) ^ remainders[Int(state & 15)]
  }

  package mutating func add(_ bytes: borrowing RawSpan) {
    for offset in 0..<bytes.byteCount { add(bytes.unsignedByte(offset)) }
  }

  /// Adds `count` bytes of zero.
  package mutating func add(zeros count: Int) {
    for _ in 0..<count { add(0) }
  }
}

extension RawSpan {
  /// The byte at `offset`; a place outside traps.
  func unsignedByte(_ offset: Int) -> UInt8 {
    guard let byte = load(offset, as: UInt8.self) else { preconditionFailure("inside, by the caller's word") }
    return byte
  }
}
