// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import CX86

/// Numbers that a guest does not know.
package enum Randomness {
  /// How often the processor is asked for its noise, which others may just have used up.
  private static var attempts: Int { 10 }

  /// A number from the processor's noise, if it has any, and from the time.
  package static var number: UInt64 { mixed((noise ?? 0) ^ Time.ticks) }

  /// What RDRAND gives; `nil` on a processor without it.
  private static var noise: UInt64? {
    guard processorIdentification(0, 0).0 >= 1, processorIdentification(1, 0).2 & 1 << 30 != 0 else { return nil }
    for _ in 0..<attempts {
      let answer = cx86_rdrand()
      if answer.isGood != 0 { return answer.value }
    }
    return nil
  }

  /// Spreads what differs in some bits over all of them (the finaliser of SplitMix64).
  private static func mixed(_ number: UInt64) -> UInt64 {
    var mixed = (number ^ (number >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
