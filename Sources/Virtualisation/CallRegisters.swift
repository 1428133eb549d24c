// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The registers of a guest's SYSCALL, where the kernel keeps them (`RegisterKeeper.kernel`).
package struct CallRegisters: BitwiseCopyable, Sendable {
  private var star: UInt64 = 0
  private var longStar: UInt64 = 0
  private var compatibleStar: UInt64 = 0
  private var flagMask: UInt64 = 0

  package init() {}

  /// The value of a register; `nil` if it is none of these.
  package subscript(_ number: UInt32) -> UInt64? {
    switch PrivilegedEntry(rawValue: number) {
    case .star: star
    case .longStar: longStar
    case .compatibleStar: compatibleStar
    case .callFlagMask: flagMask
    default: nil
    }
  }

  /// Takes what a guest writes. VM entry would refuse a guest with what the processor refuses: an address that is not
  /// canonical, a mask of more than 32 bits (Intel SDM volume 4, table 2-2; volume 2, WRMSR).
  /// - Returns: Whether the register takes it; else it is #GP.
  package mutating func write(_ value: UInt64, to number: UInt32) -> Bool {
    switch PrivilegedEntry(rawValue: number) {
    case .star: star = value
    case .longStar where value.isCanonical: longStar = value
    case .compatibleStar where value.isCanonical: compatibleStar = value
    case .callFlagMask where value >> 32 == 0: flagMask = value
    default: return false
    }
    return true
  }
}
