// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

@Suite struct MemoryMapTests {
  private func map(_ entries: [(UInt64, UInt64, MemoryKind)]) -> MemoryMap {
    var map = MemoryMap()
    for (start, size, kind) in entries { map.add(start: PhysicalAddress(start), size: size, kind: kind) }
    return map
  }

  private func free(_ map: MemoryMap) -> [ClosedRange<UInt64>] {
    (0..<map.freeCount).map {
      let range = map.freeRange($0)
      return range.start.value...(range.end.value - 1)
    }
  }

  @Test func `usable entries are sorted, merged and cut to whole pages`() {
    let map = map([
      (0x30_0000, 0x10_0000, .usable), (0x10_0001, 0x1_0000, .usable), (0x20_0000, 0x10_0000, .usable),
    ])
    #expect(free(map) == [0x10_1000...0x10_ffff, 0x20_0000...0x3f_ffff])
  }

  @Test(arguments: [false, true])
  func `what anyone calls reserved is not usable, in either order`(reservedFirst: Bool) {
    var entries: [(UInt64, UInt64, MemoryKind)] = [
      (0x10_0000, 0x10_0000, .usable), (0x18_0800, 0x1000, .reserved), (0x10_0000, 1, .acpi),
    ]
    if reservedFirst { entries.reverse() }

    #expect(free(map(entries)) == [0x10_1000...0x17_ffff, 0x18_2000...0x1f_ffff])
  }

  @Test func `empty entries, entries that wrap and page 0 are not usable`() {
    #expect(free(map([(0x10_0000, 0, .usable), (.max - 0xfff, 0x2000, .usable), (0x10_0000, .max, .usable)])) == [])
    #expect(free(map([(0, 0x2000, .usable)])) == [0x1000...0x1fff])
    #expect(free(map([(1 << 60, 0x2000, .usable), ((1 << 52) - 0x1000, 0x2000, .usable)])).count == 1)
  }

  @Test func `a reserved entry that wraps reserves everything above it`() {
    #expect(free(map([(0x10_0000, 0x10_0000, .usable), (0x18_0000, .max, .reserved)])) == [0x10_0000...0x17_ffff])
  }

  @Test func `what is reserved stays so and is listed`() {
    var map = map([(0x10_0000, 0x10_0000, .usable)])
    map.reserve(start: PhysicalAddress(0x10_0010), size: 0x10)
    map.add(start: PhysicalAddress(0x10_0000), size: 0x1000, kind: .usable)

    #expect(free(map) == [0x10_1000...0x1f_ffff])
    #expect(map.withheldCount == 1)
    #expect(map.withheld(0).kind == .boot)
    #expect(map.withheld(0).range == PhysicalRange(start: PhysicalAddress(0x10_0010), size: 0x10))
  }

  @Test func `memory is taken from the smallest range with room, aligned, at its upper end`() {
    var map = map([(0x10_0000, 0x10_0000, .usable), (1 << 30, 1 << 30, .usable)])

    #expect(map.allocate(size: 1)?.value == 0x1f_f000)
    #expect(map.allocate(size: 0x20_0000, alignment: 0x20_0000)?.value == (2 << 30) - 0x20_0000)
    #expect(map.allocate(size: 0x1000, alignment: 0x1_0000)?.value == 0x1f_0000)
    #expect(map.allocate(size: 4 << 30) == nil)
    #expect(map.allocate(size: 0) == nil)
    #expect(map.allocate(size: 0x1000, alignment: 0x3000) == nil)
    #expect(map.allocate(size: .max) == nil)
    #expect(map.allocate(size: 0x1000, alignment: 1 << 63) == nil)
  }

  @Test func `a limit holds for the last byte`() {
    var map = map([(1 << 30, 1 << 30, .usable)])
    #expect(map.allocate(size: 0x1000, below: PhysicalAddress((1 << 30) + 0x1fff))?.value == 1 << 30)
    #expect(map.allocate(size: 0x2000, below: PhysicalAddress((1 << 30) + 0x1fff)) == nil)
    #expect(map.allocate(size: 0x1000, below: PhysicalAddress(0)) == nil)
  }

  @Test func `memory below 1 MiB is dealt out only on demand`() {
    var map = map([(0, 0x9_fc00, .usable), (0x9_fc00, 0x400, .reserved)])
    #expect(map.allocate(size: 0x1000) == nil)
    #expect(map.largestFree() == 0)
    #expect(map.allocateLow(size: 0x1000)?.value == 0x9_e000)
    #expect(map.freeBytes == 0x9_d000)
    var spanning = self.map([(0x8_0000, 0x10_0000, .usable)])
    #expect(spanning.allocate(size: 0x10_0000) == nil)
    #expect(spanning.allocate(size: 0x8_0000)?.value == 0x10_0000)
    #expect(spanning.allocateLow(size: 0x8_0000)?.value == 0x8_0000)
  }

  @Test func `the lowest place is that of the first range with room below the limit`() {
    var map = map([
      (0, 0x10_0000, .usable), (0x10_0000, 0x30_0000, .usable), (0x1000_0000, 0x1000_0000, .usable),
      (0x1_0000_0000, 0x1000_0000, .usable),
    ])
    let limit = PhysicalAddress(0x1c00_0000)
    #expect(map.allocateLowest(size: 0x20_0000, alignment: 0x20_0000, below: limit)?.value == 0x20_0000)
    #expect(map.allocateLowest(size: 0x20_0000, alignment: 0x20_0000, below: limit)?.value == 0x1000_0000)
    #expect(map.allocateLowest(size: 0xbe0_0001, alignment: 0x20_0000, below: limit) == nil)
    #expect(map.allocateLowest(size: 0xbe0_0000, alignment: 0x20_0000, below: limit)?.value == 0x1020_0000)
    #expect(map.allocateLowest(size: 0x1000, alignment: 0x1000, below: PhysicalAddress(0x10_0000)) == nil)
    for (size, alignment) in [(0, 0x1000), (.max, 0x1000), (0x1000, 0), (0x1000, 0x3000)] as [(UInt64, UInt64)] {
      #expect(map.allocateLowest(size: size, alignment: alignment, below: limit) == nil)
    }
  }

  @Test func `what was dealt out cannot become usable again`() {
    var map = map([(0x10_0000, 0x2000, .usable)])
    _ = map.allocate(size: 0x2000)
    map.add(start: PhysicalAddress(0x10_0000), size: 0x2000, kind: .usable)
    #expect(map.freeBytes == 0)
  }

  @Test func `the largest free piece counts whole multiples of the alignment`() {
    let map = map([(0x10_0000, 0x50_0000, .usable)])
    #expect(map.largestFree(alignment: 2 * .MiB) == 4 * .MiB)
    #expect(map.largestFree() == 5 * .MiB)
    #expect(map.largestFree(alignment: 3) == 0)
  }

  @Test func `a map with too many holes loses memory but never a reservation`() {
    var map = map([(0x10_0000, 0x100_0000, .usable)])
    for index in 0..<400 {
      map.add(start: PhysicalAddress(0x10_0000 + UInt64(index) * 0x4000), size: 0x1000, kind: .reserved)
    }
    map.add(start: PhysicalAddress(0x10_0000), size: 0x100_0000, kind: .usable)

    #expect(map.freeCount == MemoryMap.capacity)
    for range in free(map) { #expect(range.lowerBound % 0x4000 == 0x1000 || range.lowerBound > 0x74_0000) }
  }

  @Test func `random maps agree with a page-by-page model`() {
    var random = SplitMix64(seed: 1)
    for _ in 0..<fuzzRounds(300) {
      var map = MemoryMap()
      var usable = Set<UInt64>()
      var taken = Set<UInt64>()
      let pages: UInt64 = 200
      for _ in 0..<(random.next() % 40) {
        let start = (256 + random.next() % pages) * 4096 + random.next() % 3 * 100
        let size = random.next() % 16 * 4096 + random.next() % 3 * 50
        let kind: MemoryKind = random.next() % 2 == 0 ? .usable : .reserved
        map.add(start: PhysicalAddress(start), size: size, kind: kind)
        guard size > 0 else { continue }
        if kind == .usable {
          let first = (start + 4095) / 4096
          let end = (start + size) / 4096
          if first < end { usable.formUnion(first..<end) }
        } else {
          taken.formUnion((start / 4096)..<((start + size + 4095) / 4096))
        }
      }
      var expected = usable.subtracting(taken)
      #expect(pagesFree(in: map) == expected)
      for _ in 0..<20 {
        let size = 1 + random.next() % 5
        guard let address = map.allocate(size: size * 4096, alignment: 4096 << (random.next() % 3)) else { continue }
        let dealt = Set((address.value / 4096)..<(address.value / 4096 + size))
        #expect(dealt.isSubset(of: expected))
        expected.subtract(dealt)
      }
      #expect(pagesFree(in: map) == expected)
    }
  }

  @Test func `no claim traps and none breaks the order`() {
    var random = SplitMix64(seed: 2)
    for _ in 0..<fuzzRounds(300) {
      var map = MemoryMap()
      for _ in 0..<(random.next() % 200) {
        let kind: MemoryKind = random.next() % 4 == 0 ? .reserved : .usable
        map.add(start: PhysicalAddress(random.hostile()), size: random.hostile(), kind: kind)
      }
      for _ in 0..<10 {
        _ = map.allocate(
          size: random.hostile(), alignment: random.hostile(), below: PhysicalAddress(random.hostile()))
        _ = map.allocateLowest(
          size: random.hostile(), alignment: random.hostile(), below: PhysicalAddress(random.hostile()))
        _ = map.allocateLow(size: random.hostile(), alignment: random.hostile())
      }
      _ = (map.freeBytes, map.highestFree, map.largestFree(alignment: random.hostile()))
      let ranges = free(map)
      for (low, high) in zip(ranges, ranges.dropFirst()) { #expect(low.upperBound + 1 < high.lowerBound) }
    }
  }

  private func pagesFree(in map: MemoryMap) -> Set<UInt64> {
    var pages = Set<UInt64>()
    for range in free(map) { pages.formUnion((range.lowerBound / 4096)...(range.upperBound / 4096)) }
    return pages
  }
}
