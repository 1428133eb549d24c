// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// An entry of a page table, at any level (AMD APM volume 2, §5.3).
package struct PageTableEntry: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package init(_ address: PhysicalAddress, _ flags: PageTableEntry) {
    rawValue = address.value & Self.addressMask | flags.rawValue
  }

  package static var addressMask: UInt64 { 0x000F_FFFF_FFFF_F000 }

  /// Where the page or the next table is.
  package var address: PhysicalAddress { PhysicalAddress(rawValue & Self.addressMask) }
}

// swift-format-ignore
extension PageTableEntry {
  package static var present: Self          { .bit(0) }                   // P
  package static var writable: Self         { .bit(1) }                   // R/W
  package static var user: Self             { .bit(2) }                   // U/S: ring 3, and every guest
  package static var uncached: Self         { .bit(3) | .bit(4) }         // PWT, PCD
  package static var large: Self            { .bit(7) }                   // PS: a page of 2 MiB or 1 GiB
  package static var own: Self              { .bit(9) }                   // AVL: a component's own, the kernel may read it
  package static var noExecute: Self        { .bit(63) }                  // NX
}
