// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// RFLAGS (AMD APM volume 2, §3.1.6), as far as anybody here looks at it.
package struct ProcessorFlags: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Bit 1, which always reads as one.
  package static var alwaysSet: Self { .bit(1) }
  /// IF: interrupts are taken.
  package static var interrupt: Self { .bit(9) }
  /// TF and RF: the processor does more at the end of an instruction than go on to the next.
  package static var debugging: Self { .bit(8) | .bit(16) }
  /// CF, PF, AF, ZF, SF and OF: what the last computation was like.
  package static var status: Self { Self(rawValue: 0x8d5) }
  /// Bits 3, 5, 15 and those from 22 on, which always read as zero.
  package static var reserved: Self { Self(rawValue: ~0x3f_7fd7) }

  /// Whether no processor can have these flags.
  package var isImpossible: Bool { intersects(.reserved) }

  /// The likeliest flags of a guest whose flags were saved with bits set that it does not have (decision 14).
  ///
  /// Each bit that is clear is clear. Of those that are set, a system flag counts if it was set on the last entry too;
  /// the interrupt flag counts, unless the guest may still be in the handler of the interrupt that it entered with. Code
  /// in ring 3 always has it.
  package func repaired(enteredWith before: Self, mayBeInHandler: Bool, isUser: Bool) -> Self {
    var flags = Self(rawValue: rawValue & Self.status.rawValue) | .alwaysSet
    let system = Self(rawValue: ~(Self.status | .interrupt | .reserved).rawValue)
    flags.insert(Self(rawValue: rawValue & before.rawValue & system.rawValue))
    if isUser || contains(.interrupt) && !mayBeInHandler { flags.insert(.interrupt) }
    return flags
  }
}
