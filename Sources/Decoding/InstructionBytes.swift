// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How the current code segment makes the processor read instructions: by its default operand and address size.
package enum CodeSize: Sendable {
  case bits16
  case bits32
  case bits64
}

/// The bytes at the guest's RIP, as many as could be had.
///
/// Invariant: `count` is at most 15, the longest an instruction can be.
package struct InstructionBytes: Sendable {
  /// The longest instruction (AMD APM volume 3, §1.1).
  package static var limit: Int { 15 }

  private var bytes: InlineArray<16, UInt8>
  /// How many are there.
  package private(set) var count: Int

  /// No bytes yet.
  package init() {
    bytes = InlineArray(repeating: 0)
    count = 0
  }

  /// The first `count` of `bytes`; what is beyond 15 is left out.
  package init(_ bytes: InlineArray<16, UInt8>, count: Int) {
    self.bytes = bytes
    self.count = min(max(count, 0), Self.limit)
  }

  /// Adds a byte; a sixteenth is left out.
  package mutating func append(_ byte: UInt8) {
    guard count < Self.limit else { return }
    bytes[count] = byte
    count += 1
  }

  /// The byte at `index`; `nil` if there is none.
  package subscript(index: Int) -> UInt8? { index >= 0 && index < count ? bytes[index] : nil }
}
