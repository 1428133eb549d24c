// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Firmware

/// What the kernel may map of a machine's memory, since it is its own.
struct OwnMemoryTests {
  private func map(_ entries: (UInt64, UInt64, MemoryKind)...) -> MemoryMap {
    var map = MemoryMap()
    for (start, end, kind) in entries { map.add(start: PhysicalAddress(start), size: end - start, kind: kind) }
    return map
  }

  @Test func `small things share a piece, and a piece begins only when there is no room`() {
    var memory = OwnMemory(map((1 * .MiB, 64 * .MiB, .usable)))
    let first = memory.take(size: 100)
    let second = memory.take(size: 4096)
    let third = memory.take(size: 2 * .MiB - 4096)
    let fourth = memory.take(size: 4096)

    let start = PhysicalAddress(62 * .MiB)
    #expect(first == OwnMemory.Taken(address: start, piece: PhysicalRange(start: start, size: 2 * .MiB)))
    #expect(second == OwnMemory.Taken(address: start + 4096, piece: nil))
    #expect(third?.piece == PhysicalRange(start: PhysicalAddress(60 * .MiB), size: 2 * .MiB))
    #expect(fourth == OwnMemory.Taken(address: start + 8192, piece: nil))
  }

  @Test func `a large thing is one piece of whole pages of 2 MiB`() {
    var memory = OwnMemory(map((1 * .MiB, 64 * .MiB, .usable)))
    let taken = memory.take(size: 5 * .MiB)
    let rest = memory.take(size: .MiB)
    let next = memory.take(size: 4096)

    let start = PhysicalAddress(58 * .MiB)
    #expect(taken == OwnMemory.Taken(address: start, piece: PhysicalRange(start: start, size: 6 * .MiB)))
    #expect(rest == OwnMemory.Taken(address: start + 5 * .MiB, piece: nil))
    #expect(next?.piece != nil)
  }

  @Test func `a piece is usable from end to end: neither holes nor what others withhold are in it`() {
    let map = map(
      (0, 0xa_0000, .usable), (1 * .MiB, 0x7ff_1000, .usable), (0x300_0000, 0x300_1000, .acpi),
      (0x8ff_f000, 0xa20_0000, .usable), (0x5_0000_0000, 0x5_0010_0000, .usable))
    let free = map
    var memory = OwnMemory(map)
    var pieces = 0
    while let taken = memory.take(size: 4096 * 3) {
      guard let piece = taken.piece else { continue }
      pieces += 1
      #expect(piece.start.value.isAligned(to: 2 * .MiB) && piece.size == 2 * .MiB)
      #expect(free.isFree(start: piece.start, size: piece.size))
    }
    #expect(pieces == 23 + 38 + 9)
  }

  @Test func `nothing above 512 GiB is the kernel's, however much there is`() {
    var memory = OwnMemory(
      map((0x10_0000, 0x200_0000, .usable), (4 * .GiB, 5 * .GiB, .usable), (600 * .GiB, 1024 * .GiB, .usable)))
    memory.limit = PhysicalAddress(4 * .GiB)
    let low = memory.take(size: .MiB)
    let tooMuch = memory.take(size: 64 * .MiB)
    memory.limit = OwnMemory.end
    let high = memory.take(size: 64 * .MiB)
    let farTooMuch = memory.take(size: 2 * .GiB)
    let guests = memory.map.allocate(size: 100 * .GiB, alignment: .GiB)

    #expect(low.map { $0.address < PhysicalAddress(4 * .GiB) } == true)
    #expect(tooMuch == nil)
    #expect(high?.address == PhysicalAddress(5 * .GiB - 64 * .MiB))
    #expect(farTooMuch == nil)
    #expect(guests?.value == 924 * .GiB)
  }

  @Test func `a border that is asked for is kept, also a larger one than a piece's`() {
    var memory = OwnMemory(map((1 * .MiB, 64 * .MiB, .usable)))
    _ = memory.take(size: 4096)
    let small = memory.take(size: 64 * .KiB, alignment: 64 * .KiB)
    let large = memory.take(size: 8 * .MiB, alignment: 8 * .MiB)
    let impossible = [
      memory.take(size: 0), memory.take(size: 4096, alignment: 3), memory.take(size: .max),
    ]

    #expect(small?.address.value.isAligned(to: 64 * .KiB) == true)
    #expect(large?.address.value.isAligned(to: 8 * .MiB) == true)
    #expect(impossible == [nil, nil, nil])
  }

  @Test func `what is written at boot alone shares no piece with what changes`() {
    var memory = OwnMemory(map((1 * .MiB, 64 * .MiB, .usable)))
    let changing = memory.take(size: 4096)
    let table = memory.take(size: 4096, for: .tables)
    let more = memory.take(size: 4096)
    let moreTables = memory.take(size: 4096, for: .tables)

    #expect(changing?.piece != nil && table?.piece != nil && more?.piece == nil && moreTables?.piece == nil)
    #expect(more.map { changing?.piece?.overlaps(PhysicalRange(start: $0.address, size: 4096)) } == true)
    #expect(moreTables.map { table?.piece?.overlaps(PhysicalRange(start: $0.address, size: 4096)) } == true)
    #expect(changing?.piece != table?.piece)
  }
}
