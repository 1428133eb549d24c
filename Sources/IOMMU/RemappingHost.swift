// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What the driver of an IOMMU needs of the kernel: pages for tables, their words, the IOMMU's registers, and the time.
///
/// Tables keep all their state in these pages, and queues theirs in the registers; so whoever calls takes care that one
/// core at a time does.
package protocol RemappingHost: ~Copyable {
  /// `count` pages of zeros (a power of two), contiguous, on a border of their whole size; `nil` if there are none left.
  mutating func allocatePages(_ count: Int) -> PhysicalAddress?
  /// The word at `address`, in a page that was allocated here. The IOMMU may change it at any time.
  func read(_ address: PhysicalAddress) -> UInt64
  /// Stores a word, in one piece, in a page that was allocated here.
  func write(_ value: UInt64, at address: PhysicalAddress)
  /// Writes what was stored in `[address, address + count)` back to memory, for an IOMMU that does not look into caches.
  func flush(_ address: PhysicalAddress, count: UInt64)
  /// The register of `width` bytes (4 or 8) at `address`.
  func readRegister(_ address: PhysicalAddress, width: Int) -> UInt64
  /// Changes the register of `width` bytes (4 or 8) at `address`.
  func writeRegister(_ value: UInt64, at address: PhysicalAddress, width: Int)
  /// Nanoseconds of any clock that never goes back.
  var now: UInt64 { get }
}

/// The name of a register, with the type of what it holds.
struct RemappingRegister<Word: Flags> {
  let offset: UInt64
}

extension RemappingHost where Self: ~Copyable {
  func read<Word>(_ register: RemappingRegister<Word>, of unit: PhysicalAddress) -> Word {
    let value = readRegister(unit + register.offset, width: MemoryLayout<Word.RawValue>.size)
    return Word(rawValue: Word.RawValue(truncatingIfNeeded: value))
  }

  func write<Word>(_ value: Word, to register: RemappingRegister<Word>, of unit: PhysicalAddress) {
    writeRegister(
      UInt64(truncatingIfNeeded: value.rawValue), at: unit + register.offset,
      width: MemoryLayout<Word.RawValue>.size)
  }

  /// Waits until `condition` holds, for a second at most; all that an IOMMU is asked takes it microseconds.
  func wait(until condition: () -> Bool) throws(IOMMUError) {
    let start = now
    while !condition() {
      guard now &- start < 1_000_000_000 else { throw .timedOut }
    }
  }

  /// `count` pages of zeros.
  mutating func pages(_ count: Int = 1) throws(IOMMUError) -> PhysicalAddress {
    guard let address = allocatePages(count) else { throw .outOfMemory }
    return address
  }
}

/// A word of a register without names for its bits.
struct PlainWord: Flags {
  let rawValue: UInt64
  init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A word of 32 bits without names for its bits.
struct PlainHalf: Flags {
  let rawValue: UInt32
  init(rawValue: UInt32) { self.rawValue = rawValue }
}
