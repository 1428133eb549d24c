// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The VMX-preemption timer (Intel SDM volume 3, §26.5.1 and §27.7.4): it is set with each VM entry, and the guest leaves
/// when it has counted down to 0.
package struct VMXTimer: Equatable, Sendable {
  /// The timer counts whenever this bit of the time-stamp counter changes (A.6).
  package let shift: UInt64

  package init(shift: UInt64) { self.shift = shift }

  /// `nil` if the processor's timer is known to keep another rate than it says.
  init?(_ capabilities: VMXCapabilities) {
    // Without the reserved bits and the type.
    guard !Self.isUnsteady(signature: capabilities.signature & 0x0FFF_0FFF) else { return nil }
    shift = capabilities.miscellaneous & 0x1f
  }

  /// "VMX-Preemption Timer Does Not Count Down at the Rate Specified": the processors that have both this erratum and all
  /// that guests need (Intel's specification updates 322814 AAT59, 322911 AAU65, 323056 AAX65; Xeon E3-1200 v2).
  private static func isUnsteady(signature: UInt32) -> Bool {
    switch signature {
    case 0x2_0652, 0x2_0655, 0x3_06A8: true
    default: false
    }
  }

  /// What to count down from at `now` for the guest to leave at `deadline`, or up to one count later; a guest that should
  /// have left is entered for nothing but what is injected. A deadline too far away is met by leaving too early.
  @inline(__always)
  package func count(until deadline: UInt64, now: UInt64) -> UInt32 {
    guard deadline > now else { return 0 }
    return UInt32(clamping: (deadline - 1) >> shift + 1 - now >> shift)
  }
}
