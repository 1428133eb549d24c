// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// An entry of an extended page table, at any level (Intel SDM volume 3, §29.3.2).
package struct EPTEntry: Flags {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Of a page.
  package init(
    page address: UInt64, isWritable: Bool, isExecutable: Bool, isUncached: Bool, isLarge: Bool
  ) {
    var entry = EPTEntry(rawValue: address & Self.addressMask) | .readable
    entry.set(.writable, to: isWritable)
    entry.set(.executable, to: isExecutable)
    entry.set(.writeBack, to: !isUncached)
    entry.set(.large, to: isLarge)
    self = entry
  }

  /// Of a further table.
  package init(table address: UInt64) {
    self = EPTEntry(rawValue: address & Self.addressMask) | .readable | .writable | .executable
  }

  /// For the VMCS: the top table, four levels, walked in write-back memory (§25.6.11).
  package static func pointer(to table: UInt64) -> UInt64 { table & addressMask | 3 << 3 | 6 }

  private static var addressMask: UInt64 { 0x000F_FFFF_FFFF_F000 }
}

// swift-format-ignore
extension EPTEntry {
  package static var readable: Self         { .bit(0) }
  package static var writable: Self         { .bit(1) }
  package static var executable: Self       { .bit(2) }
  package static var writeBack: Self        { .bit(4) | .bit(5) }         // memory type 6; 0 is uncached
  package static var large: Self            { .bit(7) }                   // a page of 2 MiB or 1 GiB
}
