// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A function's ranges, in the order of their registers, and its expansion ROM.
struct RangeList {
  var ranges: InlineArray<6, BaseAddress> = InlineArray(repeating: BaseAddress())
  var rom = BaseAddress()

  /// No ranges.
  init() {}

  /// Finds out the ranges of a function with `count` base address registers, and leaves all registers as they were.
  ///
  /// Software writes all ones and reads back which bits stuck (PCI Express 6.0, §7.5.1.2.1). Meanwhile the function
  /// must not answer at that address, so it decodes none.
  init<A: ConfigurationAccess>(of function: FunctionAddress, count: Int, romAt romRegister: Int, in access: A) {
    let command = access.read16(function, Register.command)
    access.change16(function, Register.command, clear: CommandBits.decoding)
    var index = 0
    while index < count {
      let base = Self.probe(function, Register.firstBase + 4 * index, hasNext: index + 1 < count, in: access)
      ranges[index] = base
      index += 1
      let isWide = base.kind == .memory64 || base.kind == .malformed && Self.isWide(function, index - 1, in: access)
      if isWide, index < count {
        ranges[index] = BaseAddress(.upperHalf)
        index += 1
      }
    }
    rom = Self.probeROM(function, romRegister, in: access)
    if access.read16(function, Register.command) != command { access.write16(command, to: function, Register.command) }
  }

  /// Whether register `index` says that it takes the next one too.
  private static func isWide<A: ConfigurationAccess>(_ function: FunctionAddress, _ index: Int, in access: A) -> Bool {
    access.read32(function, Register.firstBase + 4 * index) & 7 == 4
  }

  private static func probe<A: ConfigurationAccess>(
    _ function: FunctionAddress, _ offset: Int, hasNext: Bool, in access: A
  ) -> BaseAddress {
    let low = access.read32(function, offset)
    // Bit 0: I/O; bits 2 and 1: 0 for 32 bits, 1 for below 1 MiB (of old), 2 for 64 bits.
    guard low & 1 == 0 else {
      return BaseAddress(io: low, probed: exchange(function, offset, low, in: access))
    }
    guard low & 6 == 4 else {
      let probed = exchange(function, offset, low, in: access)
      return low & 6 == 6
        ? BaseAddress(.malformed) : BaseAddress(memory: UInt64(low), probed: UInt64(probed), isWide: false)
    }
    guard hasNext else { return BaseAddress(.malformed) }
    let high = access.read32(function, offset + 4)
    let probedLow = exchange(function, offset, low, in: access)
    let probedHigh = exchange(function, offset + 4, high, in: access)
    return BaseAddress(
      memory: UInt64(high) << 32 | UInt64(low), probed: UInt64(probedHigh) << 32 | UInt64(probedLow), isWide: true)
  }

  private static func probeROM<A: ConfigurationAccess>(
    _ function: FunctionAddress, _ offset: Int, in access: A
  ) -> BaseAddress {
    let value = access.read32(function, offset)
    // All bits of the address, not the one that enables (§7.5.1.2.4).
    let probed = exchange(function, offset, value, probe: 0xffff_f800, in: access) & 0xffff_f800
    return BaseAddress(memory: UInt64(value & 0xffff_f800), probed: UInt64(probed), isWide: false)
  }

  /// What the register reads as after all ones were written to it; then it holds `value` again.
  private static func exchange<A: ConfigurationAccess>(
    _ function: FunctionAddress, _ offset: Int, _ value: UInt32, probe: UInt32 = .max, in access: A
  ) -> UInt32 {
    access.write32(probe, to: function, offset)
    let probed = access.read32(function, offset)
    access.write32(value, to: function, offset)
    return probed
  }
}
