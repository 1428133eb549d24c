// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What becomes of one bit of CR0, CR4 or EFER while a guest runs.
package enum BitRule: Sendable, Equatable {
  /// The guest's: it changes it with no exit, and entry and exit switch it.
  case guests
  /// The host's, and 1 in the processor whenever the guest is entered. On VMX the guest reads what it wrote; SVM has no such
  /// masks, so that it reads what is there.
  case held1
  /// The host's, and 0 in the processor; the guest reads what it wrote.
  case held0
  /// Not the guest's: CPUID says that there is no such bit, it reads 0, and a guest that sets it gets #GP.
  case refused
}

/// A bit with what it is called and who has it, on each vendor's processors.
package struct ControlBit: Sendable {
  package let bit: Int
  package let name: StaticString
  package let svm: BitRule
  package let vmx: BitRule

  init(_ bit: Int, _ name: StaticString, svm: BitRule, vmx: BitRule) {
    self.bit = bit
    self.name = name
    self.svm = svm
    self.vmx = vmx
  }
}

/// What a guest may do with a control register, made from the table of its bits.
///
/// Invariant: every bit is in one of `guests`, `ones`, `zeros` and `refused`, and in no two.
package struct ControlRule: Sendable, Equatable {
  /// Bits that are the guest's.
  package private(set) var guests: UInt64 = 0
  /// Bits that the guest writes and reads while the processor has 1 or 0.
  package private(set) var ones: UInt64 = 0
  package private(set) var zeros: UInt64 = 0

  /// Bits that the processor has 1 though a guest that sets them is refused.
  package private(set) var behind: UInt64 = 0

  /// Bits that a guest must not set.
  package var refused: UInt64 { ~(guests | ones | zeros) }
  /// Bits of the guest's writes to which something is to be done: the guest/host mask of VMX.
  package var owned: UInt64 { ~guests }

  /// What the processor holds where the guest sees `shown`.
  package func held(_ shown: UInt64) -> UInt64 { shown & guests | ones | behind }

  /// What the guest sees where the processor holds `held` and the guest last wrote `shadow`.
  package func shown(_ held: UInt64, shadow: UInt64) -> UInt64 { held & guests | shadow & ~guests }

  mutating func add(_ bit: Int, _ rule: BitRule) {
    let mask = UInt64(1) << UInt64(bit)
    switch rule {
    case .guests: guests |= mask
    case .held1: ones |= mask
    case .held0: zeros |= mask
    case .refused: break
    }
  }

  /// The processor wants these bits to be 1.
  mutating func hold(_ fixed: UInt64) {
    behind |= fixed & refused
    ones |= fixed & (guests | zeros)
    guests &= ~fixed
    zeros &= ~fixed
  }

  /// Bits that no table names are the processor's to ignore or to refuse.
  mutating func leaveRest() { guests |= refused }
}
