// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The kernel's own memory and its components', taken from the machine's in pieces of 2 MiB or multiples of that.
///
/// A piece is usable memory from end to end and on its border: the kernel maps each as it is taken, in large pages of one
/// memory type, and so never anything that is not its own. What is asked for comes from the piece in hand while that has
/// room. What is written at boot alone has pieces of its own, so that these can be read-only from then on.
package struct OwnMemory {
  package static var pieceSize: UInt64 { 2 * .MiB }
  /// The first address that the kernel's map of memory has no room for: memory from there on is for guests alone.
  package static var end: PhysicalAddress { PhysicalAddress(512 * .GiB) }

  /// The machine's memory, from which pieces come.
  package var map: MemoryMap
  /// No piece reaches beyond this.
  package var limit = OwnMemory.end
  /// What is left of the piece in hand.
  private var rest = PhysicalRange(start: PhysicalAddress(0), size: 0)
  /// Likewise, of that for tables.
  private var tableRest = PhysicalRange(start: PhysicalAddress(0), size: 0)

  package init(_ map: MemoryMap) { self.map = map }

  /// What `take` found: the memory, and the piece that was begun for it, if one was.
  package struct Taken: Equatable {
    package let address: PhysicalAddress
    package let piece: PhysicalRange?
  }

  /// What a piece is for.
  package enum Use: Sendable {
    case changing
    /// Written at boot alone: page tables, descriptor tables.
    case tables
  }

  /// Takes `size` bytes, rounded up to pages, on a border of `alignment`, a power of two.
  ///
  /// - Returns: `nil` if nowhere below `limit` is there a piece large enough.
  package mutating func take(
    size: UInt64, alignment: UInt64 = MemoryMap.pageSize, for use: Use = .changing
  ) -> Taken? {
    var rest = use == .tables ? tableRest : self.rest
    defer { if use == .tables { tableRest = rest } else { self.rest = rest } }
    return take(size, alignment, from: &rest)
  }

  private mutating func take(_ size: UInt64, _ alignment: UInt64, from rest: inout PhysicalRange) -> Taken? {
    guard size > 0, let size = size.roundedUp(to: MemoryMap.pageSize), alignment.nonzeroBitCount == 1 else {
      return nil
    }
    if let start = rest.start.value.roundedUp(to: max(alignment, MemoryMap.pageSize)), start <= rest.end.value,
      size <= rest.end.value - start
    {
      rest = PhysicalRange(start: PhysicalAddress(start + size), size: rest.end.value - start - size)
      return Taken(address: PhysicalAddress(start), piece: nil)
    }
    guard let whole = size.roundedUp(to: Self.pieceSize),
      let start = map.allocate(size: whole, alignment: max(alignment, Self.pieceSize), below: min(limit, Self.end))
    else { return nil }
    if whole - size > rest.size { rest = PhysicalRange(start: start + size, size: whole - size) }
    return Taken(address: start, piece: PhysicalRange(start: start, size: whole))
  }
}
