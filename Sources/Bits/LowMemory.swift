// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How the part of a guest's memory below 4 GiB, which is in one piece, lies in the guest's address space.
///
/// From address 0 on; or *direct-mapped*, for a guest with a device behind no IOMMU: each byte where the machine has it,
/// so that the addresses the guest tells its device are right. Only the first 2 MiB are at address 0 in any case, where
/// firmware and boot loaders leave things: no operating system of today has a device write there.
package struct LowMemory: Equatable, Sendable {
  /// Bytes at address 0 of a guest whose memory is direct-mapped.
  package static var headSize: UInt64 { 2 * .MiB }

  /// Bytes of the part.
  package let size: UInt64
  /// The machine's address of its first byte, if the memory is direct-mapped; else 0.
  package let base: UInt64
  /// Bytes that the guest has from address 0 on.
  package let sizeFromZero: UInt64

  /// - Precondition: `base` is 0, or a multiple of 2 MiB; the part ends at 4 GiB at the latest.
  package init(size: UInt64, base: UInt64 = 0) {
    self.size = size
    self.base = base
    sizeFromZero = base == 0 ? size : min(size, Self.headSize)
  }

  package var isDirectMapped: Bool { base != 0 }

  /// The first address above it.
  package var end: UInt64 { base + size }

  /// Where memory for operating systems begins, above what is at address 0 in any case.
  package var bodyStart: UInt64 { base + min(Self.headSize, size) }

  /// Where in the part the byte at `address` is, if `count` bytes from there on are all in it.
  package func offset(of address: UInt64, count: UInt64) -> UInt64? {
    if fits(address, count: count, in: sizeFromZero) { return address }
    guard isDirectMapped, address >= bodyStart, fits(address - base, count: count, in: size) else { return nil }
    return address - base
  }
}
