// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension InstructionDecoder {
  /// What kind of instruction stands at the start of `bytes`, for a person: of those that are not emulated.
  package static func name(_ bytes: InstructionBytes, as code: CodeSize) -> StaticString {
    var cursor = ByteCursor(bytes)
    do throws(DecodingError) {
      let (prefixes, opcode) = try Prefixes.read(from: &cursor, as: code)
      let next = try cursor.next()
      // C4, C5 and 62 are LDS, LES and BOUND outside 64-bit code, if they name memory.
      let isVector = code == .bits64 || next >> 6 == 3
      switch opcode {
      case 0xc4, 0xc5, 0x62: return isVector ? "an AVX instruction" : "a load of a far pointer or BOUND"
      case 0x0f: return prefixes.isLocked ? "an instruction with LOCK" : nameOfTwoBytes(next)
      case 0xd8...0xdf: return "a floating-point instruction"
      case 0xe8, 0xc2, 0xc3, 0xc8, 0xc9, 0xca, 0xcb, 0xcf, 0xcd, 0xcc, 0x9a: return "a call or return"
      case 0xff where next >> 3 & 6 != 0: return "a call or jump"
      case 0xf6, 0xf7: return "a multiplication or division"
      case 0x69, 0x6b: return "a multiplication by a constant"
      case 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x8c, 0x8e: return "a move of a segment register"
      case 0x60, 0x61, 0x9d: return "a push or pop of many registers or of flags"
      default: return "an instruction"
      }
    } catch { return "an instruction" }
  }

  /// Behind 0F (AMD APM volume 3, tables ).
  private static func nameOfTwoBytes(_ opcode: UInt8) -> StaticString {
    switch opcode {
    case 0x00, 0x01: "a load or store of a descriptor table"
    case 0x0d, 0x18: "a prefetch"
    case 0x10...0x17, 0x28...0x2f, 0x38, 0x3a, 0x50...0x7f, 0xc2, 0xc4...0xc6, 0xd0...0xff: "an MMX or SSE instruction"
    case 0xa0, 0xa1, 0xa8, 0xa9, 0xb2, 0xb4, 0xb5: "a move of a segment register"
    case 0xae, 0xc7: "an instruction that saves or restores state"
    case 0xa4, 0xa5, 0xac, 0xad: "a shift of two registers"
    case 0xb8, 0xbc, 0xbd: "a search or count of bits"
    default: "an instruction"
    }
  }
}
