// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Firmware

/// A machine's ACPI tables, built as firmware does: each table with its header and checksum.
struct Tables {
  var memory = TestMemory(base: 0, size: 0x10_0000)
  private var next: UInt64 = 0x1_0000
  private var addresses: [UInt64] = []
  /// Where the root pointer goes, and whether it has the part of revision 2.
  var root: UInt64 = 0xf_0010
  var isWide = true

  mutating func add(_ signature: String, _ body: [UInt8]) -> UInt64 {
    let address = next
    memory.put(Self.sealed(signature, body), at: address)
    next = (address + UInt64(body.count) + 0x100) & ~0xf
    addresses.append(address)
    return address
  }

  /// Writes the list and the root pointer.
  mutating func finish() {
    let width = isWide ? 8 : 4
    let list = next
    memory.put(Self.sealed(isWide ? "XSDT" : "RSDT", addresses.flatMap { bytes($0).prefix(width) }), at: list)
    var pointer = Array("RSD PTR ".utf8) + [0] + Array("ROOST ".utf8) + [isWide ? 2 : 0]
    pointer += isWide ? bytes(UInt32(0)) : bytes(UInt32(list))
    pointer[8] = Self.checksum(pointer)
    if isWide {
      pointer += bytes(UInt32(36)) + bytes(list) + [0, 0, 0, 0]
      pointer[32] = Self.checksum(pointer)
    }
    memory.put(pointer, at: root)
  }

  /// The machine's tables, with a sound root.
  func system(given: UInt64? = nil) throws(ACPIError) -> SystemTables {
    try SystemTables(rsdp: given.map { PhysicalAddress($0) }, in: memory)
  }

  static func sealed(_ signature: String, _ body: [UInt8]) -> [UInt8] {
    var table = Array(signature.utf8) + bytes(UInt32(36 + body.count)) + [1, 0]
    table += [UInt8](repeating: 0x20, count: 26) + body
    table[9] = checksum(table)
    return table
  }

  static func checksum(_ content: [UInt8]) -> UInt8 { 0 &- content.reduce(0, &+) }
}

func madt(_ entries: [[UInt8]], address: UInt32 = 0xfee0_0000) -> [UInt8] {
  bytes(address) + bytes(UInt32(1)) + entries.flatMap { [$0[0], UInt8($0.count + 1)] + $0.dropFirst() }
}
func processor(_ id: UInt8, enabled: Bool = true) -> [UInt8] { [0, id, id, enabled ? 1 : 0, 0, 0, 0] }
func x2processor(_ id: UInt32) -> [UInt8] {
  [9, 0, 0] + bytes(id) + bytes(UInt32(1)) + bytes(UInt32(7))
}
func ioapic(_ id: UInt8, _ address: UInt32, _ base: UInt32) -> [UInt8] {
  [1, id, 0] + bytes(address) + bytes(base)
}
func override(_ irq: UInt8, _ gsi: UInt32, _ flags: UInt16) -> [UInt8] {
  [2, 0, irq] + bytes(gsi) + bytes(flags)
}

func system(_ tables: [(String, [UInt8])]) -> Tables {
  var result = Tables()
  for (signature, body) in tables { _ = result.add(signature, body) }
  result.finish()
  return result
}
