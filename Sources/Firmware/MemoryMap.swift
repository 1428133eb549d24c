// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// What a range of the firmware's memory map holds.
package enum MemoryKind: UInt8, Sendable, BitwiseCopyable {
  case usable
  /// The firmware's own, devices, defective memory.
  case reserved
  /// ACPI tables and ACPI's non-volatile storage.
  case acpi
  /// Something this program does not know.
  case other
  /// Handed over by the boot loader: the kernel, the boot image, the start information.
  case boot

  /// The name that people read.
  package var name: StaticString {
    switch self {
    case .usable: "usable"
    case .reserved: "reserved"
    case .acpi: "acpi"
    case .other: "other"
    case .boot: "boot"
    }
  }
}

/// An entry of the memory map that is not usable, as it was claimed.
package struct WithheldMemory: Sendable, BitwiseCopyable {
  package var range: PhysicalRange
  package var kind: MemoryKind
}

/// The machine's memory, and the only place it is dealt out from, all of it at boot.
///
/// Firmware claims entries in any order, overlapping, empty or beyond the end of the address space. What stays usable
/// is whole pages that some entry calls usable and none calls anything else; page 0 never is. Memory below 1 MiB is
/// kept apart for what must lie there, such as the code that starts the other cores.
package struct MemoryMap {
  package static var capacity: Int { RangeSet.capacity }
  package static var pageSize: UInt64 { 4 * .KiB }
  /// Where ordinary memory begins.
  package static var lowEnd: UInt64 { 1 * .MiB }
  /// The first address that x86 page tables cannot name (AMD APM volume 2, §5.1).
  package static var end: UInt64 { 1 << 52 }

  private var free = RangeSet()
  private var withheldEntries: InlineArray<128, WithheldMemory> = InlineArray(
    repeating: WithheldMemory(range: PhysicalRange(start: PhysicalAddress(0), size: 0), kind: .reserved))
  /// Entries that are not usable.
  package private(set) var withheldCount = 0
  /// Set once an entry could not be kept, or memory was dealt out: from then on nothing new can be called usable.
  private var isSealed = false

  package init() {}
}

// MARK: - Building

extension MemoryMap {
  /// Takes an entry of the firmware's map.
  package mutating func add(start: PhysicalAddress, size: UInt64, kind: MemoryKind) {
    guard size > 0, start.value < Self.end else { return }
    let (sum, wraps) = start.value.addingReportingOverflow(size)
    guard kind == .usable else {
      withhold(start.value, wraps ? Self.end : min(sum, Self.end), kind)
      return
    }
    // An entry that wraps says nothing that can be believed.
    guard !wraps, !isSealed, let first = max(start.value, Self.pageSize).roundedUp(to: Self.pageSize) else { return }
    free.insert(first, min(sum, Self.end).roundedDown(to: Self.pageSize))
    for index in 0..<withheldCount { remove(withheldEntries[index].range) }
  }

  /// Keeps a range from being dealt out, whatever the firmware says of it.
  package mutating func reserve(start: PhysicalAddress, size: UInt64, kind: MemoryKind = .boot) {
    add(start: start, size: size, kind: kind == .usable ? .reserved : kind)
  }

  private mutating func withhold(_ start: UInt64, _ end: UInt64, _ kind: MemoryKind) {
    let range = PhysicalRange(start: PhysicalAddress(start), size: end - start)
    remove(range)
    if withheldCount > 0, withheldEntries[withheldCount - 1].kind == kind,
      withheldEntries[withheldCount - 1].range.end == range.start
    {
      withheldEntries[withheldCount - 1].range.size += range.size
      return
    }
    guard withheldCount < Self.capacity else {
      isSealed = true
      return
    }
    withheldEntries[withheldCount] = WithheldMemory(range: range, kind: kind)
    withheldCount += 1
  }

  /// Takes every page that `range` touches out of what is free.
  private mutating func remove(_ range: PhysicalRange) {
    let end = range.end.value.roundedUp(to: Self.pageSize) ?? Self.end
    free.remove(range.start.value.roundedDown(to: Self.pageSize), end)
  }
}

// MARK: - Dealing out

extension MemoryMap {
  /// Takes `size` bytes, rounded up to pages, from the smallest range above 1 MiB that has room, at its upper end.
  ///
  /// - Parameters:
  ///   - alignment: A power of two, at least a page.
  ///   - limit: No byte of the result is at this address or above it.
  /// - Returns: `nil` if no range has room.
  package mutating func allocate(
    size: UInt64, alignment: UInt64 = MemoryMap.pageSize, below limit: PhysicalAddress? = nil
  ) -> PhysicalAddress? {
    take(size: size, alignment: alignment, from: Self.lowEnd, to: limit?.value ?? Self.end)
  }

  /// Takes `size` bytes, rounded up to pages, at the lowest place above 1 MiB that has room.
  package mutating func allocateLowest(
    size: UInt64, alignment: UInt64, below limit: PhysicalAddress
  ) -> PhysicalAddress? {
    isSealed = true
    guard size > 0, let size = size.roundedUp(to: Self.pageSize), alignment.nonzeroBitCount == 1 else { return nil }
    for index in 0..<free.count {
      let end = min(free[index].end, limit.value)
      guard let place = max(free[index].start, Self.lowEnd).roundedUp(to: max(alignment, Self.pageSize)),
        fits(place, count: size, in: end)
      else { continue }
      free.remove(place, place + size)
      return PhysicalAddress(place)
    }
    return nil
  }

  /// Takes `size` bytes, rounded up to pages, below 1 MiB.
  package mutating func allocateLow(
    size: UInt64, alignment: UInt64 = MemoryMap.pageSize
  ) -> PhysicalAddress? {
    take(size: size, alignment: alignment, from: 0, to: Self.lowEnd)
  }

  private mutating func take(size: UInt64, alignment: UInt64, from low: UInt64, to high: UInt64) -> PhysicalAddress? {
    isSealed = true
    guard size > 0, let size = size.roundedUp(to: Self.pageSize), alignment.nonzeroBitCount == 1 else { return nil }
    let alignment = max(alignment, Self.pageSize)
    var found: UInt64?
    var smallest = UInt64.max
    for index in 0..<free.count {
      let start = max(free[index].start, low)
      let end = min(free[index].end, high)
      guard start < end, end - start >= size, free[index].size < smallest else { continue }
      let place = (end - size).roundedDown(to: alignment)
      guard place >= start else { continue }
      found = place
      smallest = free[index].size
    }
    guard let found else { return nil }
    free.remove(found, found + size)
    return PhysicalAddress(found)
  }
}

// MARK: - Questions

extension MemoryMap {
  /// Ranges that are free, in ascending order.
  package var freeCount: Int { free.count }

  /// The free range `index`, in ascending order.
  package func freeRange(_ index: Int) -> PhysicalRange {
    PhysicalRange(start: PhysicalAddress(free[index].start), size: free[index].size)
  }

  /// The entry `index` that is not usable, in the order of the claims.
  package func withheld(_ index: Int) -> WithheldMemory { withheldEntries[index] }

  /// Bytes not dealt out, those below 1 MiB included.
  package var freeBytes: UInt64 {
    var sum: UInt64 = 0
    for index in 0..<free.count { sum += free[index].size }
    return sum
  }

  /// The first address above all free memory; before anything is dealt out, the end of the machine's memory.
  package var highestFree: PhysicalAddress { PhysicalAddress(free.count == 0 ? 0 : free[free.count - 1].end) }

  /// The most bytes, in multiples of `alignment` (a power of two), that one `allocate` could have.
  package func largestFree(alignment: UInt64 = MemoryMap.pageSize) -> UInt64 {
    guard alignment.nonzeroBitCount == 1 else { return 0 }
    var largest: UInt64 = 0
    for index in 0..<free.count {
      guard let start = max(free[index].start, Self.lowEnd).roundedUp(to: alignment) else { continue }
      let end = free[index].end.roundedDown(to: alignment)
      if end > start { largest = max(largest, end - start) }
    }
    return largest
  }

  /// Whether every byte of the range is free.
  package func isFree(start: PhysicalAddress, size: UInt64) -> Bool {
    let (end, wraps) = start.value.addingReportingOverflow(size)
    return !wraps && free.contains(start.value, end)
  }
}
