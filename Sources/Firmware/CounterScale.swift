// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A counter of known rate, and how its readings become time.
package struct CounterScale: Equatable, Sendable {
  /// Femtoseconds of a tick.
  package let period: UInt64
  /// The bits that count.
  let mask: UInt64
  private let countsDown: Bool

  private init(period: UInt64, bits: UInt64, countsDown: Bool = false) {
    self.period = period
    mask = (1 << bits) &- 1
    self.countsDown = countsDown
  }

  /// The lower half of the HPET's counter, whose rate stands in a register; `nil` if that cannot be (IA-PC HPET 1.0a,
  /// §2.3.4: at most 100 ns, not 0).
  package static func hpet(period: UInt64) -> Self? {
    (1...100_000_000).contains(period) ? Self(period: period, bits: 32) : nil
  }

  /// ACPI's power management timer, at 3.579545 MHz (ACPI 6.5, §4.8.3.3).
  package static func powerTimer(bits: UInt8) -> Self { Self(period: 279_365_115, bits: bits == 32 ? 32 : 24) }

  /// A channel of the 8254 that counts down, at 1.193182 MHz.
  package static var intervalTimer: Self { Self(period: 838_095_345, bits: 16, countsDown: true) }

  /// The nanoseconds from one reading to a later one; the counter has begun anew once at most.
  package func nanoseconds(from start: UInt64, to end: UInt64) -> UInt64 {
    let ticks = (countsDown ? start &- end : end &- start) & mask
    // At most 2^32 ticks of less than 2^30 femtoseconds.
    return ticks &* period / 1_000_000
  }
}

/// The rate of the time-stamp counter as the processor itself tells it.
package enum ProcessorRate {
  /// CPUID leaf 0x15: denominator, numerator, and the crystal's rate (Intel SDM volume 2, CPUID); 0 if a part of it is
  /// missing.
  package static func frequency(_ denominator: UInt32, _ numerator: UInt32, crystal: UInt32) -> UInt64 {
    guard denominator != 0, numerator != 0, crystal != 0 else { return 0 }
    return UInt64(crystal) * UInt64(numerator) / UInt64(denominator)
  }
}
