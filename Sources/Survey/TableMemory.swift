// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware

/// The ACPI tables that Linux shows as files, laid out in a memory of their own, so that the kernel's parsers read them.
///
/// Linux shows the tables but not the list that leads to them: a list with sound checksums is made here.
struct TableMemory: PhysicalMemory {
  private static let headerSize = 36
  private static let alignment = 16
  private var content: [UInt8]

  init(_ tables: [[UInt8]]) {
    let listSize = Self.headerSize + 8 * tables.count
    var place = (Self.headerSize + listSize + Self.alignment - 1) / Self.alignment * Self.alignment
    var list = Self.header("XSDT", length: listSize)
    var rest: [UInt8] = []
    for table in tables {
      list += Self.bytes(UInt64(place), 8)
      let padded = table + [UInt8](repeating: 0, count: -table.count & (Self.alignment - 1))
      rest += padded
      place += padded.count
    }
    Self.balance(&list, at: 9, count: list.count)
    content = Self.root(listAt: Self.headerSize) + list
    content += [UInt8](repeating: 0, count: -content.count & (Self.alignment - 1)) + rest
  }

  /// Where the root pointer is.
  static var root: PhysicalAddress { PhysicalAddress(0) }

  @_lifetime(borrow self)
  func bytes(at address: PhysicalAddress, count: UInt64) -> RawSpan? {
    guard fits(address.value, count: count, in: UInt64(content.count)) else { return nil }
    // SAFETY: any bits are bytes.
    return unsafe content.span.bytes.extracting(Int(address.value)..<Int(address.value + count))
  }

  /// The root pointer of revision 2 (ACPI 6.5, §5.2.5.3).
  private static func root(listAt list: Int) -> [UInt8] {
    var root = Array("RSD PTR ".utf8) + [0] + Array("ROOST ".utf8) + [2] + bytes(0, 4)
    root += bytes(36, 4) + bytes(UInt64(list), 8) + [0, 0, 0, 0]
    balance(&root, at: 8, count: 20)
    balance(&root, at: 32, count: 36)
    return root
  }

  private static func header(_ signature: String, length: Int) -> [UInt8] {
    var header = Array(signature.utf8) + bytes(UInt64(length), 4)
    header.append(contentsOf: repeatElement(0, count: headerSize - header.count))
    return header
  }

  /// Makes the first `count` bytes add up to 0.
  private static func balance(_ bytes: inout [UInt8], at place: Int, count: Int) {
    bytes[place] = 0
    bytes[place] = 0 &- bytes.prefix(count).reduce(0, &+)
  }

  private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }
}
