// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The guest's sixteen general registers, read and written as instructions do.
struct RegisterFile {
  /// What `register` holds.
  static func value(of register: Register, in words: InlineArray<16, UInt64>) -> UInt64 {
    let word = words[Int(register.number & 15)]
    return register.width.truncate(register.isHighByte ? word >> 8 : word)
  }

  /// Writes `register`. 8 and 16 bits leave the rest as it was; 32 bits clear the upper half (AMD APM volume 1, §3.1.2).
  static func write(_ value: UInt64, to register: Register, in words: inout InlineArray<16, UInt64>) {
    let index = Int(register.number & 15)
    let value = register.width.truncate(value)
    switch register.width {
    case .byte where register.isHighByte: words[index] = words[index] & ~0xff00 | value << 8
    case .byte, .word: words[index] = words[index] & ~register.width.mask | value
    case .doubleword, .quadword: words[index] = value
    }
  }
}
