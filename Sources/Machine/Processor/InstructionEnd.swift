// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What a processor does between two instructions, where it did not execute the first itself (Intel SDM volume 3,
/// §17.3.1; AMD APM volume 2, §13.1).
package struct InstructionEnd: Equatable, Sendable {
  /// RFLAGS for what comes next.
  package var flags: UInt64
  /// DR6 for what comes next.
  package var dr6: UInt64
  /// Whether #DB comes next: a trap, whose frame leads to the next instruction.
  package var traps: Bool

  /// TF: each instruction ends in a trap.
  private static var trapFlag: UInt64 { 1 << 8 }
  /// RF: the next instruction meets no breakpoint on its address.
  private static var resumeFlag: UInt64 { 1 << 16 }
  /// BS in DR6.
  private static var singleStep: UInt64 { 1 << 14 }

  /// - Parameters:
  ///   - flags: RFLAGS with which the instruction began; none that is emulated changes TF.
  ///   - isPart: Whether this was one repetition of several, and the next instruction is the same again. Its frame then
  ///     has RF set, since its breakpoint was met before the first.
  package init(flags: UInt64, dr6: UInt64, isPart: Bool = false) {
    traps = Self.steps(flags)
    self.flags = isPart && traps ? flags | Self.resumeFlag : isPart ? flags : flags & ~Self.resumeFlag
    self.dr6 = traps ? dr6 | Self.singleStep : dr6
  }

  /// Whether each instruction, and each repetition of one, ends in a trap.
  package static func steps(_ flags: UInt64) -> Bool { flags & trapFlag != 0 }
}
