// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Firmware

/// Where the kernel has devices' registers, and that it has nothing beside them.
struct RegisterMapTests {
  private let base: UInt64 = 0x4080_0000_0000
  private var map: RegisterMap { RegisterMap(from: base, to: base + 8 * .GiB) }

  private func range(_ start: UInt64, _ size: UInt64) -> PhysicalRange {
    PhysicalRange(start: PhysicalAddress(start), size: size)
  }

  @Test func `registers below 4 GiB are at their own address, those above one after the other`() {
    var map = map
    let low = map.add(range(0xfec0_0010, 0x20))
    let high = map.add(range(0x3800_0000_0800, 0x1000))
    let next = map.add(range(0x1_8000_0000, 16))

    #expect(low == RegisterMap.Pages(range: range(0xfec0_0000, 4096), place: base + 0xfec0_0000))
    #expect(high == RegisterMap.Pages(range: range(0x3800_0000_0000, 8192), place: base + 4 * .GiB))
    #expect(next == RegisterMap.Pages(range: range(0x1_8000_0000, 4096), place: base + 4 * .GiB + 8192))
  }

  @Test func `a register is found only where all of it was asked for`() {
    var map = map
    _ = map.add(range(0x1_8000_2000, 0x1000))
    _ = map.add(range(0xfee0_0000, 0x1000))

    #expect(map.place(of: PhysicalAddress(0x1_8000_2ffc), count: 4) == base + 4 * .GiB + 0xffc)
    #expect(map.place(of: PhysicalAddress(0x1_8000_2ffe), count: 4) == nil)
    #expect(map.place(of: PhysicalAddress(0x1_8000_1ffc), count: 4) == nil)
    #expect(map.place(of: PhysicalAddress(0x1_8000_3000), count: 1) == nil)
    #expect(map.place(of: PhysicalAddress(0xfec0_0000), count: 4) == nil)
    #expect(map.place(of: PhysicalAddress(.max - 1), count: 4) == nil)
    #expect(map.place(of: PhysicalAddress(0xfee0_0000), count: .max) == nil)
  }

  @Test func `nothing is mapped twice`() {
    var map = map
    _ = map.add(range(0x1_8000_0000, 0x4000))
    let again = map.add(range(0x1_8000_1010, 0x100))
    #expect(again == RegisterMap.Pages(range: range(0x1_8000_1000, 0), place: base + 4 * .GiB + 0x1000))
  }

  @Test func `what is no range, or has no room, is refused`() {
    var map = map
    let refused = [
      map.add(range(0x1000, 0)), map.add(range(.max - 10, 100)), map.add(range(1 << 52, 4096)),
      map.add(range(0x10_0000_0000, 4 * .GiB + 4096)),
    ]
    #expect(refused.allSatisfy { $0 == nil })
    for index in 0..<RegisterMap.capacity { #expect(map.add(range(UInt64(index) * 8192, 4)) != nil) }
    #expect(map.add(range(0x1000_0000, 4)) == nil)
  }
}
