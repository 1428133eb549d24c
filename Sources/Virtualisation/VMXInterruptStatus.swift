// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// Virtual-interrupt delivery as it is used here (Intel SDM volume 3, §30.2). The VMM's model of the local APIC decides
// which interrupt comes next, and offers that one:
//
//   requested = the vector ──the guest can take it──► requested = 0, in service = the vector ──exit──► both 0
//                         └──exit before──► still requested: the VMM offers it again, or another
//
// "In service" would hold up further interrupts until the guest writes to the EOI register of a virtual APIC, which it
// has not: so an exit clears that, and the model is told that the interrupt was taken.
//
// For a guest in x2APIC mode, which the processor can give such a register, the model's requests and what it has in
// service are the processor's while the guest runs, and the model takes them back with each exit.

/// The guest interrupt status of the VMCS: RVI in bits 0-7, SVI in bits 8-15 (§25.4.2).
package struct VMXInterruptStatus: Equatable, Sendable {
  package let rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Nothing is requested, nothing in service.
  package static var idle: Self { Self(rawValue: 0) }

  /// For a guest that is to take `vector`, with nothing in service.
  ///
  /// `nil` if the processor would hold it back, as it does all whose class is not above the guest's task priority
  /// (§30.2.1): the model has said that it is to be taken, and interrupts of the 8259s know no priority.
  package init?(offering vector: UInt32, priority: UInt64) {
    guard UInt64(vector & 0xff) >> 4 > priority else { return nil }
    rawValue = UInt16(vector & 0xff)
  }

  /// For a guest that shares its local APIC: the highest of each set.
  package init(requests: InlineArray<4, UInt64>, inService: InlineArray<4, UInt64>) {
    rawValue = Self.highest(requests) | Self.highest(inService) << 8
  }

  private static func highest(_ set: InlineArray<4, UInt64>) -> UInt16 {
    for index in 0..<4 where set[3 - index] != 0 {
      return UInt16(255 - 64 * index - set[3 - index].leadingZeroBitCount)
    }
    return 0
  }

  /// Whether an offered interrupt still waits.
  package var isWaiting: Bool { rawValue & 0xff != 0 }
}
