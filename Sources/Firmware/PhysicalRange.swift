// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// A piece of the machine's memory: `size` bytes from `start`.
package struct PhysicalRange: Equatable, Sendable, BitwiseCopyable {
  package var start: PhysicalAddress
  package var size: UInt64

  package init(start: PhysicalAddress, size: UInt64) {
    self.start = start
    self.size = size
  }

  /// The first address above it; wraps if the claim does.
  package var end: PhysicalAddress { start + size }

  /// Whether two ranges, neither of which wraps, share an address.
  package func overlaps(_ other: PhysicalRange) -> Bool {
    start.value < other.start.value &+ other.size && other.start.value < start.value &+ size
  }
}
