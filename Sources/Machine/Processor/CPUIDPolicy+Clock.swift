// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension CPUIDPolicy {
  /// Leaf 15: the time-stamp counter as a fraction of the crystal's rate, which is also the APIC timer's.
  ///
  /// Linux multiplies the crystal's kHz by the numerator in 32 bits, so the numerator is kept below what would
  /// overflow; the nearest such fraction is off by less than a part in a million.
  func clockRatio() -> CPUIDAnswer {
    guard facts.tscFrequency > 0, facts.tscFrequency < 1 << 40 else { return .zero }
    let limit = UInt64(UInt32.max) / (Self.apicFrequency / 1000)
    let ratio = Fraction(nearestTo: facts.tscFrequency, over: Self.apicFrequency, numeratorLimit: limit)
    return CPUIDAnswer(
      eax: UInt32(truncatingIfNeeded: ratio.denominator), ebx: UInt32(truncatingIfNeeded: ratio.numerator),
      ecx: UInt32(truncatingIfNeeded: Self.apicFrequency))
  }

  /// Leaf 16: base and highest rate in MHz, and the bus's.
  func frequencies() -> CPUIDAnswer {
    let megahertz = UInt32((facts.tscFrequency / 1_000_000) & 0xffff)
    return CPUIDAnswer(eax: megahertz, ebx: megahertz, ecx: 100)
  }
}

/// A fraction with small terms that is near a given one: a convergent of its continued fraction.
private struct Fraction {
  private(set) var numerator: UInt64 = 1
  private(set) var denominator: UInt64 = 0

  init(nearestTo dividend: UInt64, over divisor: UInt64, numeratorLimit: UInt64) {
    var (left, right) = (dividend, divisor)
    var previous: (numerator: UInt64, denominator: UInt64) = (0, 1)
    while right != 0 {
      let term = left / right
      let next = (
        numerator: term &* numerator &+ previous.numerator, denominator: term &* denominator &+ previous.denominator
      )
      guard next.numerator <= numeratorLimit || denominator == 0 else { return }
      previous = (numerator, denominator)
      (numerator, denominator) = next
      (left, right) = (right, left % right)
    }
  }
}
