// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Which logical processors are hyper-threads of one core: those whose numbers differ in the lowest bits alone.
package struct ThreadLayout: Equatable, Sendable {
  /// Bits of a processor's number that tell the threads of a core apart; 0 if every processor is a core.
  package let threadBits: UInt32
  /// The number of the processor that was asked.
  package let number: UInt32

  /// Asks a processor (Intel SDM volume 2 and AMD APM volume 3, CPUID): leaf 0xB, or AMD's 0x8000001E.
  package init(_ leaf: (_ number: UInt32, _ part: UInt32) -> CPUIDAnswer) {
    let largest = leaf(0, 0).eax
    let largestExtended = leaf(0x8000_0000, 0).eax
    let levels = largest >= 0xb ? leaf(0xb, 0) : CPUIDAnswer()
    // Level 1 is that of threads; no processors at it means that the leaf is empty.
    let hasLevels = levels.ebx & 0xffff != 0
    number = hasLevels ? levels.edx : leaf(1, 0).ebx >> 24
    if hasLevels, levels.ecx.bits(8, count: 8) == 1 {
      threadBits = min(levels.eax.bits(0, count: 5), 8)
    } else if largestExtended >= 0x8000_001e, leaf(0x8000_0001, 0).ecx.bits(22, count: 1) == 1 {
      threadBits = Self.bits(for: leaf(0x8000_001e, 0).ebx.bits(8, count: 8) + 1)
    } else {
      threadBits = 0
    }
  }

  /// The bits that tell `count` apart.
  private static func bits(for count: UInt32) -> UInt32 {
    count <= 1 ? 0 : min(32 - UInt32((count - 1).leadingZeroBitCount), 8)
  }

  /// Whether two processors are one core.
  package func isOneCore(_ first: UInt32, _ second: UInt32) -> Bool { first >> threadBits == second >> threadBits }

  /// How many cores `count` processors are, whose numbers are `number(0)` and so on.
  package func coreCount(_ count: Int, _ number: (Int) -> UInt32) -> Int {
    var cores = 0
    for index in 0..<count {
      var isNew = true
      for earlier in 0..<index where isOneCore(number(earlier), number(index)) { isNew = false }
      if isNew { cores += 1 }
    }
    return cores
  }

  /// The first of `count` processors whose core has none that `isUsed`; `nil` if all are taken.
  package func freeCore(_ count: Int, _ number: (Int) -> UInt32, isUsed: (Int) -> Bool) -> Int? {
    for index in 0..<count {
      var isFree = true
      for other in 0..<count where isUsed(other) && isOneCore(number(other), number(index)) { isFree = false }
      if isFree { return index }
    }
    return nil
  }
}
