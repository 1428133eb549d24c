// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import Firmware

/// A machine's memory from address 0 that holds one ACPI table, and the way to it.
package struct TestTables: PhysicalMemory {
  private var content = [UInt8](repeating: 0, count: 0x4000)

  package init(_ signature: String, _ body: [UInt8]) {
    put(Self.sealed(signature, body), at: 0x1000)
    put(Self.sealed("XSDT", Self.bytes(UInt64(0x1000))), at: 0x800)
    var pointer = Array("RSD PTR ".utf8) + [0] + Array("ROOST ".utf8) + [2, 0, 0, 0, 0]
    pointer[8] = Self.checksum(pointer)
    pointer += Self.bytes(UInt32(36)) + Self.bytes(UInt64(0x800)) + [0, 0, 0, 0]
    pointer[32] = Self.checksum(pointer)
    put(pointer, at: 0x400)
  }

  package func system() throws(ACPIError) -> SystemTables { try SystemTables(rsdp: PhysicalAddress(0x400), in: self) }

  @_lifetime(borrow self)
  package func bytes(at address: PhysicalAddress, count: UInt64) -> RawSpan? {
    guard fits(address.value, count: count, in: UInt64(content.count)) else { return nil }
    let start = Int(address.value)
    return content.span.bytes.extracting(start..<(start + Int(count)))
  }

  private mutating func put(_ bytes: [UInt8], at place: Int) {
    content.replaceSubrange(place..<place + bytes.count, with: bytes)
  }

  private static func sealed(_ signature: String, _ body: [UInt8]) -> [UInt8] {
    var table = Array(signature.utf8) + bytes(UInt32(36 + body.count)) + [UInt8](repeating: 0, count: 28) + body
    table[9] = checksum(table)
    return table
  }

  private static func checksum(_ content: [UInt8]) -> UInt8 { 0 &- content.reduce(0, &+) }

  /// Little-endian bytes of a number.
  package static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> T(8 * $0)) }
  }
}
