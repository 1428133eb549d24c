// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What stands before an opcode, and the sizes that follow from it (AMD APM volume 3, §1.2).
struct Prefixes {
  let code: CodeSize
  private(set) var segment: SegmentName?
  private(set) var isRepeated = false
  /// Whether the last of the prefixes that repeat is REPNE (F2).
  private(set) var repeatsUntilEqual = false
  private(set) var isLocked = false
  private(set) var changesOperandSize = false
  private var changesAddressSize = false
  /// 0 where there is none.
  private var rex: UInt8 = 0

  /// Reads all prefixes. → them, and the opcode's first byte
  static func read(
    from cursor: inout ByteCursor, as code: CodeSize
  ) throws(DecodingError) -> (prefixes: Prefixes, opcode: UInt8) {
    var prefixes = Prefixes(code: code)
    while true {
      let byte = try cursor.next()
      if prefixes.accept(byte) { continue }
      guard code == .bits64, byte & 0xf0 == 0x40 else { return (prefixes, byte) }
      // REX counts only right before the opcode: a prefix after it makes it void (§1.2.7).
      prefixes.rex = byte
    }
  }

  private init(code: CodeSize) { self.code = code }

  /// Notes a legacy prefix. → whether it is one
  private mutating func accept(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x66: changesOperandSize = true
    case 0x67: changesAddressSize = true
    case 0x26: accept(.es)
    case 0x2e: accept(.cs)
    case 0x36: accept(.ss)
    case 0x3e: accept(.ds)
    case 0x64: segment = .fs
    case 0x65: segment = .gs
    case 0xf0: isLocked = true
    case 0xf2, 0xf3:
      isRepeated = true
      repeatsUntilEqual = byte == 0xf2
    default: return false
    }
    rex = 0
    return true
  }

  /// 64-bit code ignores the overrides of the flat segments (§1.2.4).
  private mutating func accept(_ flat: SegmentName) { if code != .bits64 { segment = flat } }

  /// Whether a byte register 4-7 is SPL-DIL instead of AH-BH.
  var hasREX: Bool { rex != 0 }
  /// What REX adds to the register field of ModRM, to an index, and to a base.
  var registerExtension: UInt8 { (rex << 1) & 8 }
  var indexExtension: UInt8 { (rex << 2) & 8 }
  /// Whether REX asks for 64 bits.
  var isWide: Bool { rex & 8 != 0 }
  var baseExtension: UInt8 { (rex << 3) & 8 }

  /// The operand size of opcodes that have no byte form.
  var operandSize: Width {
    if rex & 8 != 0 { return .quadword }
    return (code == .bits16) != changesOperandSize ? .word : .doubleword
  }

  /// The operand size of what goes to the stack: 32 bits are not to be had in 64-bit code (§1.2.7).
  var stackOperandSize: Width {
    code == .bits64 ? (changesOperandSize ? .word : .quadword) : operandSize
  }

  /// The operand size of opcodes whose lowest bit tells bytes from the larger sizes.
  func operandSize(of opcode: UInt8) -> Width { opcode & 1 == 0 ? .byte : operandSize }

  var addressSize: Width {
    switch code {
    case .bits16: changesAddressSize ? .doubleword : .word
    case .bits32: changesAddressSize ? .word : .doubleword
    case .bits64: changesAddressSize ? .doubleword : .quadword
    }
  }
}
