// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Firmware

/// What must not be in the kernel's own map.
struct KernelMapRulesTests {
  private let imageAddress: UInt64 = 0x7f80_0020_0000
  private let base: UInt64 = 0x4000_0000_0000
  private var rules: KernelMapRules {
    KernelMapRules(image: range(0x20_0000, 0x10_0000), at: imageAddress, constants: 0x8_0000)
  }

  private func range(_ start: UInt64, _ size: UInt64) -> PhysicalRange {
    PhysicalRange(start: PhysicalAddress(start), size: size)
  }

  private func breach(
    _ address: UInt64, _ start: UInt64, _ size: UInt64 = 4096, writable: Bool = false, executable: Bool = false
  ) -> String? {
    rules.breach(
      MappedPage(address: address, range: range(start, size), isWritable: writable, isExecutable: executable),
      isForeign: { $0.overlaps(range(0x4000_0000, 0x1000_0000)) }, isTable: { $0.overlaps(range(0x80_0000, 0x20_0000)) }
    )?.description
  }

  @Test func `the image where it is linked to be, tables that are read-only, and own memory are right`() {
    #expect(breach(imageAddress, 0x20_0000, executable: true) == nil)
    #expect(breach(imageAddress + 0x8_0000, 0x28_0000, writable: true) == nil)
    #expect(breach(base + 0x80_0000, 0x80_0000, 0x20_0000) == nil)
    #expect(breach(base + 0xa0_0000, 0xa0_0000, 0x20_0000, writable: true) == nil)
  }

  @Test func `code and tables are writable by no alias, and guests' memory is nowhere`() {
    #expect(breach(imageAddress, 0x20_0000, writable: true) == "the kernel's code or constants are writable")
    #expect(breach(imageAddress + 0x7_f000, 0x27_f000, writable: true) == "the kernel's code or constants are writable")
    #expect(breach(base + 0x20_0000, 0x20_0000) == "the kernel's image is mapped twice")
    #expect(breach(base, 0, 0x4000_0000, writable: true) == "the kernel's image is mapped twice")
    #expect(breach(base + 0x80_0000, 0x80_0000, 0x20_0000, writable: true) == "the kernel's tables are writable")
    #expect(breach(base, 0x4fff_f000) == "a guest's memory or device is in the kernel's map")
    #expect(
      breach(base, 0xa0_0000, writable: true, executable: true) == "a page of the kernel's is writable and executable")
  }

  @Test func `a walk finds each page, and what all entries above it allow`() {
    let tables: [UInt64: UInt64] = [
      0x1000 + 8 * 128: 0x2000 | 3, 0x2000: 0x3000 | 3, 0x2008: 0x4000_0000 | 0x83 | 1 << 63,
      0x3000: 0x4000 | 1, 0x3008: 0x60_0000 | 0x81, 0x4000 + 8 * 5: 0x9000 | 3, 0x1000 + 8 * 3: 0x2000 | 2,
    ]
    var found: [MappedPage] = []
    TableWalk.each(under: PhysicalAddress(0x1000), read: { tables[$0.value] ?? 0 }) { found.append($0) }
    #expect(
      found == [
        MappedPage(address: base + 0x5000, range: range(0x9000, 4096), isWritable: false, isExecutable: true),
        MappedPage(
          address: base + 0x20_0000, range: range(0x60_0000, 0x20_0000), isWritable: false, isExecutable: true),
        MappedPage(
          address: base + 0x4000_0000, range: range(0x4000_0000, 0x4000_0000), isWritable: true, isExecutable: false),
      ])
  }
}
