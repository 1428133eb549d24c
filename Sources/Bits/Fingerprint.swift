// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// FNV-1a with 64 bits: for telling contents apart, not for protection.
package struct Fingerprint: Sendable {
  package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  package init() {}

  /// Takes in some bytes and their number, so that pieces cannot be taken for others of the same bytes.
  package mutating func add(_ bytes: borrowing RawSpan) {
    for index in 0..<bytes.byteCount { add(bytes.load(index, as: UInt8.self) ?? 0) }
    for shift in 0..<8 { add(UInt8(truncatingIfNeeded: bytes.byteCount >> (8 * shift))) }
  }

  private mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
}
