// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The memory type range registers (Intel SDM volume 3A, §11.11). Nested paging has its own types, so they are kept
/// for the guest to read and change nothing.
///
/// They start as firmware leaves them: memory is write-back, the hole for devices and the VGA window uncached.
struct MemoryTypeRegisters: Equatable, Sendable {
  private static var variableCount: UInt32 { 8 }
  /// Eight variable ranges, fixed ranges, write combining.
  private static var capabilities: UInt64 { UInt64(variableCount) | 1 << 8 | 1 << 10 }
  private static var uncached: UInt64 { 0 }
  private static var writeBack: UInt64 { 6 }
  /// MTRRs on, fixed ranges on, all else write-back.
  private static var initialDefault: UInt64 { 1 << 11 | 1 << 10 | writeBack }

  private let addressMask: UInt64
  private var defaultType: UInt64 = Self.initialDefault
  /// Base and mask in turn.
  private var variable: InlineArray<16, UInt64> = InlineArray(repeating: 0)
  private var fixed: InlineArray<11, UInt64> = InlineArray(repeating: 0x0606_0606_0606_0606)

  init(physicalAddressBits: Int, deviceHole: UInt64) {
    let bits = UInt64(min(max(physicalAddressBits, 36), 52))
    addressMask = ((1 << bits) - 1) & ~0xfff
    // A0000-BFFFF
    fixed[2] = 0
    guard deviceHole > 0, deviceHole < 1 << 32 else { return }
    variable[0] = deviceHole & ~0xfff | Self.uncached
    variable[1] = addressMask & ~((1 << 32) - 1 - deviceHole) | 1 << 11
  }

  static func == (left: Self, right: Self) -> Bool {
    for index in 0..<16 where left.variable[index] != right.variable[index] { return false }
    for index in 0..<11 where left.fixed[index] != right.fixed[index] { return false }
    return left.defaultType == right.defaultType && left.addressMask == right.addressMask
  }

  /// `nil` if `number` is none of these registers.
  func read(_ number: UInt32) -> UInt64? {
    switch number {
    case MSRNumber.mtrrCapabilities: Self.capabilities
    case MSRNumber.mtrrDefaultType: defaultType
    default:
      if let index = Self.variableIndex(number) {
        variable[index]
      } else if let index = Self.fixedIndex(number) {
        fixed[index]
      } else {
        nil
      }
    }
  }

  /// Whether the register takes `value`; `nil` if `number` is none of these registers.
  mutating func write(_ number: UInt32, _ value: UInt64) -> Bool? {
    switch number {
    case MSRNumber.mtrrCapabilities: return false
    case MSRNumber.mtrrDefaultType:
      // Bits 0-7 type, 10 and 11 switches, the rest reserved (§11.11.2.1).
      guard value & ~0xcff == 0, Self.isType(value & 0xff) else { return false }
      defaultType = value
      return true
    default:
      if let index = Self.variableIndex(number) { return writeVariable(index, value) }
      guard let index = Self.fixedIndex(number) else { return nil }
      for part in 0..<8 where !Self.isType(value >> UInt64(part * 8) & 0xff) { return false }
      fixed[index] = value
      return true
    }
  }

  /// A base holds a type, a mask its valid bit (§11.11.2.3).
  private mutating func writeVariable(_ index: Int, _ value: UInt64) -> Bool {
    let isBase = index & 1 == 0
    guard value & ~(addressMask | (isBase ? 0xff : 1 << 11)) == 0 else { return false }
    guard !isBase || Self.isType(value & 0xff) else { return false }
    variable[index] = value
    return true
  }

  /// Uncached, write-combining, write-through, write-protected, write-back.
  private static func isType(_ value: UInt64) -> Bool { value < 7 && value != 2 && value != 3 }

  private static func variableIndex(_ number: UInt32) -> Int? {
    let index = number &- MSRNumber.variableMTRRs
    return index < variableCount * 2 ? Int(index) : nil
  }

  private static func fixedIndex(_ number: UInt32) -> Int? {
    switch number {
    case MSRNumber.fixedMTRR64K: 0
    case MSRNumber.fixedMTRR16K...(MSRNumber.fixedMTRR16K + 1): 1 + Int(number - MSRNumber.fixedMTRR16K)
    case MSRNumber.fixedMTRR4K...(MSRNumber.fixedMTRR4K + 7): 3 + Int(number - MSRNumber.fixedMTRR4K)
    default: nil
    }
  }
}
