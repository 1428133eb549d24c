// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// The tables of IOMMUs as firmware writes them.
extension TestTables {
  static func dmar(_ entries: [[UInt8]], flags: UInt8 = 1) -> [UInt8] {
    [45, flags] + [UInt8](repeating: 0, count: 10)
      + entries.flatMap { [$0[0], 0] + bytes(UInt16($0.count + 3)) + $0.dropFirst() }
  }

  static func unit(_ base: UInt64, flags: UInt8 = 0, _ scopes: [[UInt8]] = []) -> [UInt8] {
    [0, flags, 0, 0, 0] + bytes(base) + scopes.flatMap { $0 }
  }

  static func region(_ first: UInt64, _ last: UInt64, _ scopes: [[UInt8]]) -> [UInt8] {
    [1, 0, 0, 0, 0] + bytes(first) + bytes(last) + scopes.flatMap { $0 }
  }

  static func scope(_ type: UInt8, _ bus: UInt8, _ path: [UInt8], id: UInt8 = 0) -> [UInt8] {
    [type, UInt8(6 + path.count), 0, 0, id, bus] + path
  }

  /// The I/O APIC with ID 0, as QEMU places it.
  static var ioapic: [UInt8] { scope(3, 0xff, [0, 0]) }

  static func ivrs(_ blocks: [[UInt8]]) -> [UInt8] {
    [UInt8](repeating: 0, count: 12)
      + blocks.flatMap { Array($0.prefix(2)) + bytes(UInt16($0.count + 2)) + $0.dropFirst(2) }
  }

  static func hardware(_ base: UInt64, flags: UInt8 = 0, segment: UInt16 = 0, _ entries: [[UInt8]]) -> [UInt8] {
    [0x10, flags] + bytes(UInt16(2)) + bytes(UInt16(0x40)) + bytes(base) + bytes(segment) + [0, 0, 0, 0, 0, 0]
      + entries.flatMap { $0 }
  }

  static func memory(_ device: UInt16, _ start: UInt64, _ size: UInt64) -> [UInt8] {
    [0x21, 0] + bytes(device) + bytes(device) + [UInt8](repeating: 0, count: 8) + bytes(start) + bytes(size)
  }
}
