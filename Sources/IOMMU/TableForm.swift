// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What the entries of page tables look like, and how many levels and which pages there are.
struct TableForm: Equatable, Sendable {
  enum Maker: Sendable {
    case intel
    case amd
  }

  let maker: Maker
  /// 3 to 5 levels of nine bits.
  let levels: Int
  /// The level at which a page may end the way: 0 for 4 KiB only, 2 for 1 GiB.
  let largestLevel: Int
  /// The first address that devices cannot name.
  let limit: UInt64
  /// The first address that memory cannot have.
  let physicalLimit: UInt64
  /// Whether the IOMMU sees what is in the processor's caches.
  let isCoherent: Bool
  /// Whether the IOMMU can make requests look into the caches that ask not to.
  let forcesCoherence: Bool

  private static var addressMask: UInt64 { 0x000f_ffff_ffff_f000 }

  /// The entry of a table at `level` that leads to the table below.
  func table(_ table: PhysicalAddress, _ level: Int) -> UInt64 {
    switch maker {
    // Read and write in bits 0 and 1 (VT-d 4.1, §9.8).
    case .intel: table.value | 3
    // Present in bit 0, the level of the next table in bits 9 to 11, read and write in bits 61 and 62
    // (AMD I/O Virtualization 3.08, §2.2.3).
    case .amd: table.value | 1 | UInt64(level) << 9 | 3 << 61
    }
  }

  /// The entry at `level` that leads to a page.
  func page(_ page: PhysicalAddress, _ level: Int, _ rights: DMARights) -> UInt64 {
    let allowed: UInt64 = rights == .readWrite ? 3 : 1
    switch maker {
    // Bit 7 ends the way above the last level; bit 11 makes requests look into caches.
    case .intel: return page.value | allowed | (level > 0 ? 1 << 7 : 0) | (forcesCoherence ? 1 << 11 : 0)
    // A next level of 0 ends the way; bit 60 makes requests look into caches.
    case .amd: return page.value | 1 | allowed << 61 | (forcesCoherence ? 1 << 60 : 0)
    }
  }

  /// The table that the entry at `level` leads to; `nil` if it is a page.
  func next(_ entry: UInt64, _ level: Int) -> PhysicalAddress? {
    let isPage =
      switch maker {
      case .intel: entry & 1 << 7 != 0
      case .amd: entry.bits(9, count: 3) == 0
      }
    return isPage ? nil : PhysicalAddress(entry & Self.addressMask)
  }

  /// Whether the range is not all memory for a device.
  func isReserved(_ address: UInt64, _ size: UInt64) -> Bool {
    // What is written here are interrupts (VT-d 4.1, §3.14; AMD I/O Virtualization 3.08, §2.1.2).
    if overlaps(address, size, 0xfee0_0000, 0xfef0_0000) { return true }
    // The last 12 GiB below 1 TiB are the bus's own.
    return maker == .amd && overlaps(address, size, 0xfd_0000_0000, 0x100_0000_0000)
  }

  private func overlaps(_ address: UInt64, _ size: UInt64, _ first: UInt64, _ end: UInt64) -> Bool {
    address < end && first - min(first, address) < size
  }
}
