// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What a processor's VMX can do, from its capability registers (Intel SDM volume 3, appendix A).
///
/// Of each pair of control words the low half holds the bits that must be 1, the high half those that may be.
package struct VMXCapabilities: Sendable {
  /// Family, model and stepping (CPUID 1, eax).
  package let signature: UInt32
  package let basic: UInt64
  package let pin: UInt64
  package let processor: UInt64
  /// 0 where the processor has no secondary controls.
  package let secondary: UInt64
  package let exit: UInt64
  package let entry: UInt64
  /// 0 where it has neither EPT nor VPID.
  package let paging: UInt64
  package let miscellaneous: UInt64
  /// Bits of CR0 and CR4 that must be 1 while VMX is on.
  package let fixedCR0: UInt64
  package let fixedCR4: UInt64

  /// - Parameter read: Reads the model-specific register of a number; called for those alone that the processor has.
  package init(signature: UInt32, read: (_ number: UInt32) -> UInt64) {
    self.signature = signature
    basic = read(0x480)
    // Bit 55: the true registers, which do without controls that were once always on (A.2).
    let hasTrue = basic & 1 << 55 != 0
    pin = read(hasTrue ? 0x48D : 0x481)
    processor = read(hasTrue ? 0x48E : 0x482)
    exit = read(hasTrue ? 0x48F : 0x483)
    entry = read(hasTrue ? 0x490 : 0x484)
    secondary = processor & 1 << 63 != 0 ? read(0x48B) : 0
    paging = secondary & (1 << 33 | 1 << 37) != 0 ? read(0x48C) : 0
    miscellaneous = read(0x485)
    fixedCR0 = read(0x486)
    fixedCR4 = read(0x488)
  }

  /// What the first word of VMXON's and each VMCS's region says (A.1).
  package var revision: UInt32 { UInt32(truncatingIfNeeded: basic & 0x7fff_ffff) }
  /// INS and OUTS exits say what the address size was (bit 54).
  package var describesStrings: Bool { basic & 1 << 54 != 0 }
}

/// IA32_FEATURE_CONTROL: what the firmware decided about VMX (Intel SDM volume 3, §24.7).
package enum VMXPermission: Equatable, Sendable {
  /// On, and locked.
  case allowed
  /// The firmware left it open: `value` is to be written, on each core, before VMXON.
  case open(value: UInt64)
  /// Locked off until the next reset.
  case forbidden

  /// - Parameter value: The register, 0x3A.
  package init(_ value: UInt64) {
    let locked: UInt64 = 1 << 0
    let outsideSMX: UInt64 = 1 << 2
    if value & locked == 0 {
      self = .open(value: value | locked | outsideSMX)
    } else {
      self = value & outsideSMX != 0 ? .allowed : .forbidden
    }
  }
}
