// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What CR3 holds while an address space is the processor's: its top table and, where translations are numbered, its number
/// (Intel SDM volume 3, §4.10.1; AMD APM volume 2, §5.5.1).
///
/// A processor uses a translation for the number under which it found it, and for no other. Neither an exit of a guest nor
/// an entry makes it forget one: what a guest leaves for has its tables in CR3 before the guest is entered.
package struct PagingRoot: Equatable, Sendable {
  /// What CR3 reads as, and what an exit of a guest loads.
  package let value: UInt64

  package init(value: UInt64) { self.value = value }

  fileprivate init(tables: PhysicalAddress, number: UInt64) { value = tables.value | number }

  /// The top table.
  package var tables: PhysicalAddress { PhysicalAddress(value & 0x000f_ffff_ffff_f000) }

  /// The process-context identifier: the number of the translations.
  package var number: UInt64 { value & 0xfff }

  /// What is written to CR3 where the translations of the number, if it has one of its own, are still right. Number 0 is
  /// also that of a processor which numbers nothing: there all are forgotten.
  package var keeping: UInt64 { number != 0 ? value | 1 << 63 : value }

  /// What is written to CR3 so that the translations of this number are forgotten.
  package var forgetting: UInt64 { value }
}

/// Which number each address space has: the kernel's 0, which a core has until it runs the first domain, and each domain its
/// own, or all of them 0.
package struct SpaceNumbers: Equatable, Sendable {
  /// Bits of a number: 12.
  private static var largest: Int { 0xfff }

  /// Whether translations are numbered: CR4.PCIDE is set.
  package let areUsed: Bool

  /// - Parameter isPossible: Whether the processors number translations (CPUID 1, ecx, bit 17).
  package init(isPossible: Bool, domainCount: Int) {
    areUsed = isPossible && domainCount <= Self.largest
  }

  /// The root of the domain with this index, whose tables are at `tables`.
  package func root(ofDomain index: Int, _ tables: PhysicalAddress) -> PagingRoot {
    PagingRoot(tables: tables, number: areUsed ? UInt64(index + 1) : 0)
  }
}
