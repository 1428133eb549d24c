// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A ModRM byte that names memory, with what belongs to it: the memory operand and a register or opcode extension.
struct ModRM {
  let memory: MemoryOperand
  private let field: UInt8
  private let prefixes: Prefixes

  /// Reads ModRM, SIB and displacement. Instructions on registers alone never touch a device: `.unsupported`.
  init(from cursor: inout ByteCursor, _ prefixes: Prefixes) throws(DecodingError) {
    let byte = try cursor.next()
    guard byte >> 6 != 3 else { throw .unsupported }
    self.prefixes = prefixes
    field = (byte >> 3) & 7
    memory =
      prefixes.addressSize == .word
      ? try Self.shortAddress(byte, from: &cursor, prefixes)
      : try Self.address(byte, from: &cursor, prefixes)
  }

  /// The register field where it extends the opcode.
  var opcodeExtension: UInt8 { field }

  /// The register field as a register of `width`.
  func register(_ width: Width) -> Register {
    guard width == .byte, !prefixes.hasREX, field >= 4 else {
      return Register(field | prefixes.registerExtension, width)
    }
    return Register(field - 4, .byte, isHighByte: true)
  }

  /// 16-bit addresses: a fixed choice of BX, BP, SI and DI (AMD APM volume 3, §1.4.3, table 1-14).
  private static func shortAddress(
    _ byte: UInt8, from cursor: inout ByteCursor, _ prefixes: Prefixes
  ) throws(DecodingError) -> MemoryOperand {
    let mode = byte >> 6
    let place = byte & 7
    var memory = MemoryOperand(segment: .ds, addressSize: .word)
    let usesFrame = place == 2 || place == 3 || (place == 6 && mode != 0)
    switch place {
    case 0, 1, 7: memory.base = .register(3)
    case 2, 3: memory.base = .register(5)
    case 4: memory.base = .register(6)
    case 5: memory.base = .register(7)
    default: memory.base = mode == 0 ? .none : .register(5)
    }
    if place < 4 { memory.index = place & 1 == 0 ? 6 : 7 }
    switch mode {
    case 1: memory.displacement = try cursor.signed(.byte)
    case 2: memory.displacement = try cursor.signed(.word)
    default: if place == 6 { memory.displacement = try cursor.signed(.word) }
    }
    memory.segment = prefixes.segment ?? (usesFrame ? .ss : .ds)
    return memory
  }

  /// 32- and 64-bit addresses (AMD APM volume 3, §1.4.1-1.4.3).
  private static func address(
    _ byte: UInt8, from cursor: inout ByteCursor, _ prefixes: Prefixes
  ) throws(DecodingError) -> MemoryOperand {
    let mode = byte >> 6
    var memory = MemoryOperand(segment: .ds, addressSize: prefixes.addressSize)
    var base = byte & 7
    let hasSIB = base == 4
    if hasSIB {
      let sib = try cursor.next()
      let index = (sib >> 3) & 7 | prefixes.indexExtension
      // Index 4 without REX.X means none: RSP cannot be an index.
      if index != 4 { memory.index = index }
      memory.scale = 1 << UInt64(sib >> 6)
      base = sib & 7
    }
    if mode == 0, base == 5 {
      memory.displacement = try cursor.signed(.doubleword)
      if !hasSIB, prefixes.code == .bits64 { memory.base = .nextInstruction }
    } else {
      memory.base = .register(base | prefixes.baseExtension)
      if mode == 1 { memory.displacement = try cursor.signed(.byte) }
      if mode == 2 { memory.displacement = try cursor.signed(.doubleword) }
    }
    let usesStack = memory.base == .register(4) || memory.base == .register(5)
    memory.segment = prefixes.segment ?? (usesStack ? .ss : .ds)
    return memory
  }
}
