// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension CPUIDPolicy {
  /// The x87 and SSE state and the header of XSAVE, which are always there.
  private static var legacyStateSize: UInt32 { 576 }

  /// Leaf D: the state that XSAVE saves, as far as the guest may turn it on (Intel SDM volume 1, §13.2).
  ///
  /// The machine's own sizes are those of *its* XCR0, so they are worked out anew from where each component lies.
  func state(_ subleaf: UInt32, _ machine: (UInt32, UInt32) -> CPUIDAnswer) -> CPUIDAnswer {
    let offered = machine(0xd, 0)
    let supported = facts.supportedXCR0 & (UInt64(offered.edx) << 32 | UInt64(offered.eax))
    guard supported != 0 else { return .zero }
    switch subleaf {
    case 0:
      return CPUIDAnswer(
        eax: UInt32(truncatingIfNeeded: supported), ebx: standardSize(facts.xcr0 & supported, machine),
        ecx: standardSize(supported, machine), edx: UInt32(truncatingIfNeeded: supported >> 32))
    case 1:
      let features = FeatureMask.leafDSub1EAX(facts).apply(machine(0xd, 1).eax)
      return CPUIDAnswer(eax: features, ebx: compactedSize(facts.xcr0 & supported, machine))
    case 2..<63 where supported & 1 << UInt64(subleaf) != 0:
      // Bit 1: aligned to 64 bytes when compacted. No component belongs to IA32_XSS.
      return with(machine(0xd, subleaf)) {
        $0.ecx &= 2
        $0.edx = 0
      }
    default: return .zero
    }
  }

  /// The end of the highest component.
  private func standardSize(_ components: UInt64, _ machine: (UInt32, UInt32) -> CPUIDAnswer) -> UInt32 {
    var size = Self.legacyStateSize
    for index: UInt32 in 2..<63 where components & 1 << UInt64(index) != 0 {
      let component = machine(0xd, index)
      size = max(size, component.ebx &+ component.eax)
    }
    return size
  }

  /// The sum of the components, each aligned if it asks for that.
  private func compactedSize(_ components: UInt64, _ machine: (UInt32, UInt32) -> CPUIDAnswer) -> UInt32 {
    var size = Self.legacyStateSize
    for index: UInt32 in 2..<63 where components & 1 << UInt64(index) != 0 {
      let component = machine(0xd, index)
      if component.ecx & 2 != 0 { size = (size &+ 63) & ~63 }
      size = size &+ component.eax
    }
    return size
  }
}
