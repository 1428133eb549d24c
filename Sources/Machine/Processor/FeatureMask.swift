// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Part of the processor's state that XCR0 turns on; features that use it go with it.
struct StateComponents {
  let bits: UInt64

  static var ymm: Self { Self(bits: 0x6) }
  static var zmm: Self { Self(bits: 0xe6) }
  static var protectionKeys: Self { Self(bits: 0x200) }
}

/// What becomes of a CPUID word full of feature bits: a bit passes only if it is named, so that a feature nobody has
/// thought of stays hidden.
struct FeatureMask {
  private let supportedXCR0: UInt64
  private var passed: UInt32 = 0
  private var forced: UInt32 = 0

  init(_ facts: CPUIDFacts) { supportedXCR0 = facts.supportedXCR0 }

  /// The guest sees what the machine has.
  func pass(_ bit: UInt32, if condition: Bool = true) -> Self { condition ? with(passing: 1 << bit) : self }

  /// The guest sees what the machine has, if it can have the state that belongs to it.
  func pass(_ bit: UInt32, with state: StateComponents) -> Self {
    supportedXCR0 & state.bits == state.bits ? pass(bit) : self
  }

  /// The guest never sees this: its line says why.
  func hide(_ bit: UInt32) -> Self { self }

  /// The guest sees this whatever the machine has, because Roost provides it.
  func force(_ bit: UInt32, if condition: Bool = true) -> Self {
    var mask = self
    if condition { mask.forced |= 1 << bit }
    return mask
  }

  /// The word as the guest sees it.
  func apply(_ word: UInt32) -> UInt32 { word & passed | forced }

  private func with(passing bits: UInt32) -> Self {
    var mask = self
    mask.passed |= bits
    return mask
  }
}
