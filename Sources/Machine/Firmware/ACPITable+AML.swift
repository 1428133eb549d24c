// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

// The few terms of ACPI Machine Language that a machine without methods needs (ACPI 6.4, §20.2), and the resource
// descriptors of `_CRS` (§6.4).

extension ACPITable {
  /// Adds to the namespace below `path` (§20.2.5.1).
  mutating func scope(_ path: StaticString, _ body: (inout ACPITable) -> Void) {
    append(byte: 0x10)
    measured { table in
      table.append(path)
      body(&table)
    }
  }

  /// A device of four characters (§20.2.5.2).
  mutating func device(_ name: StaticString, _ body: (inout ACPITable) -> Void) {
    append(UInt16(0x825b))
    measured { table in
      table.append(name)
      body(&table)
    }
  }

  /// A name of four characters; its value is what is appended next (§20.2.5.1).
  mutating func name(_ name: StaticString) {
    append(byte: 0x08)
    append(name)
  }

  /// An integer in its shortest form (§20.2.3).
  mutating func integer(_ value: UInt32) {
    switch value {
    case 0, 1: append(byte: UInt8(value))
    case 2...0xff:
      append(byte: 0x0a)
      append(UInt8(value))
    case 0x100...0xffff:
      append(byte: 0x0b)
      append(UInt16(value))
    default:
      append(byte: 0x0c)
      append(value)
    }
  }

  /// A package of `count` elements, at most 255 (§20.2.5.4).
  mutating func package(of count: UInt8, _ body: (inout ACPITable) -> Void) {
    append(byte: 0x12)
    measured { table in
      table.append(count)
      body(&table)
    }
  }

  /// A Plug-and-Play identifier: three capital letters and four hexadecimal digits (§19.3.4, EISAID).
  mutating func identifier(_ text: StaticString) {
    var word: UInt32 = 0
    for index in 0..<min(text.utf8CodeUnitCount, 7) {
      // SAFETY: index is below the literal's length.
      let character = UInt32(unsafe text.utf8Start[index])
      if index < 3 {
        word = word << 5 | (character & 0x1f)
      } else {
        word = word << 4 | (character > 0x39 ? (character & 7) + 9 : character & 15)
      }
    }
    append(byte: 0x0c)
    append(word.byteSwapped)
  }

  /// A resource template: a buffer of descriptors with an end tag (§6.4.2.8).
  mutating func resources(_ body: (inout ACPITable) -> Void) {
    append(byte: 0x11)
    measured { table in
      // The buffer's size is known only after its content: a word constant, filled in below.
      let size = table.count
      table.integer(0xffff)
      let start = table.count
      body(&table)
      table.append(UInt16(0x0079))  // a checksum of 0 stands for none
      let length = table.count - start
      table.patch(UInt8(truncatingIfNeeded: length), at: size + 1)
      table.patch(UInt8(truncatingIfNeeded: length >> 8), at: size + 2)
    }
  }

  /// `count` ports from `port`, decoded in full (§6.4.2.5).
  mutating func ports(_ port: UInt16, count: UInt8) {
    append(UInt16(0x0147))
    append(port)
    append(port)
    append(UInt8(1))
    append(count)
  }

  /// An ISA interrupt: edge-triggered, active high (§6.4.2.1).
  mutating func interrupt(_ line: UInt8) {
    append(byte: 0x22)
    append(UInt16(1) << UInt16(line & 15))
  }

  /// The kinds of address that a bridge passes on (§6.4.3.5, table 6.48).
  enum Window: UInt8 {
    case memory = 0
    case io = 1
    case bus = 2

    /// Memory: writable, not cached. Ports: all, ISA aliases or not.
    var flags: UInt8 { self == .bus ? 0 : self == .io ? 3 : 1 }
  }

  /// Buses or ports `first` to `last` that a bridge passes on (§6.4.3.5.3).
  mutating func window(_ kind: Window, from first: UInt16, through last: UInt16) {
    append(byte: 0x88)
    append(UInt16(0x0d))
    append(kind.rawValue)
    append(UInt8(0x0c))  // both ends fixed, decoded, produced for what is below
    append(kind.flags)
    append(UInt16(0))
    append(first)
    append(last)
    append(UInt16(0))
    append(last &- first &+ 1)
  }

  /// Memory `first` to `last` that a bridge passes on (§6.4.3.5.2).
  mutating func memoryWindow(from first: UInt32, through last: UInt32) {
    append(byte: 0x87)
    append(UInt16(0x17))
    append(Window.memory.rawValue)
    append(UInt8(0x0c))
    append(Window.memory.flags)
    append(UInt32(0))
    append(first)
    append(last)
    append(UInt32(0))
    append(last &- first &+ 1)
  }

  /// Something with its length before it, which counts itself; always in the three-byte form (§20.2.4).
  private mutating func measured(_ body: (inout ACPITable) -> Void) {
    let start = count
    append(zeros: 3)
    body(&self)
    let length = count - start
    patch(0x80 | UInt8(length & 15), at: start)
    patch(UInt8(truncatingIfNeeded: length >> 4), at: start + 1)
    patch(UInt8(truncatingIfNeeded: length >> 12), at: start + 2)
  }
}
