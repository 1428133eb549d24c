// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Which processor this is, as lists of errata name it.
package struct ProcessorIdentity: Equatable, Sendable {
  /// Who made it; Hygon's are AMD's to everybody here.
  package enum Vendor: Sendable {
    case intel, amd, other
  }

  package let vendor: Vendor
  package let family: UInt32
  package let model: UInt32
  package let stepping: UInt32

  package init(_ vendor: Vendor, family: UInt32, model: UInt32, stepping: UInt32) {
    self.vendor = vendor
    self.family = family
    self.model = model
    self.stepping = stepping
  }

  /// Asks a processor: leaf 0 has the vendor's name, leaf 1 the numbers (Intel SDM volume 2A, CPUID, figure 3-6).
  package init(_ leaf: (_ number: UInt32, _ part: UInt32) -> CPUIDAnswer) {
    let signature = leaf(1, 0).eax
    let base = signature.bits(8, count: 4)
    family = base == 0xf ? base + signature.bits(20, count: 8) : base
    let hasMore = base == 0xf || base == 6
    model = signature.bits(4, count: 4) | (hasMore ? signature.bits(16, count: 4) << 4 : 0)
    stepping = signature.bits(0, count: 4)
    vendor =
      switch leaf(0, 0).ebx {
      // "Genu", "Auth", "Hygo".
      case 0x756e_6547: .intel
      case 0x6874_7541, 0x6f67_7948: .amd
      default: .other
      }
  }
}
