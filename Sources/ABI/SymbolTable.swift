// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// A symbol table file: a `SymbolHeader`, `count` records of `SymbolRecord` sorted by address, then the names.
// The kernel finds in it the function that an address of a panic or a component's trap lies in.

package struct SymbolHeader: BitwiseCopyable {
  /// "SYMBOLS1".
  package static var magic: UInt64 { 0x3153_4C4F_424D_5953 }
  package var magic: UInt64 = SymbolHeader.magic
  package var count: UInt32
  /// Where the names begin, from the file's start.
  package var namesOffset: UInt32

  package init(count: UInt32, namesOffset: UInt32) {
    self.count = count
    self.namesOffset = namesOffset
  }
}

/// A function: its name is `nameCount` bytes of ASCII at `namesOffset + nameOffset`.
package struct SymbolRecord: BitwiseCopyable {
  package var address: UInt64
  package var size: UInt32
  package var nameOffset: UInt32
  package var nameCount: UInt32
  private var reserved: UInt32 = 0

  package init(address: UInt64, size: UInt32, nameOffset: UInt32, nameCount: UInt32) {
    self.address = address
    self.size = size
    self.nameOffset = nameOffset
    self.nameCount = nameCount
  }
}

/// A symbol table that somebody handed over, read with every offset checked.
package struct SymbolTable: ~Escapable {
  private let bytes: RawSpan
  private let count: Int
  private let namesOffset: Int

  /// `nil` if `bytes` is no symbol table.
  @_lifetime(copy bytes)
  package init?(_ bytes: RawSpan) {
    guard let magic = bytes.load(0, as: UInt64.self), magic == SymbolHeader.magic,
      let count = bytes.load(8, as: UInt32.self), let namesOffset = bytes.load(12, as: UInt32.self),
      (bytes.byteCount - 16) / MemoryLayout<SymbolRecord>.stride >= Int(count), Int(namesOffset) <= bytes.byteCount
    else { return nil }
    self.bytes = bytes
    self.count = Int(count)
    self.namesOffset = Int(namesOffset)
  }

  /// The name of the function that holds `address` and the offset into it; `nil` if none does.
  package func symbol(at address: UInt64, _ body: (borrowing RawSpan, UInt64) -> Void) {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      guard let start = load(middle, 0, as: UInt64.self) else { return }
      if start <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0, let start = load(low - 1, 0, as: UInt64.self), let size = load(low - 1, 8, as: UInt32.self),
      address - start < max(UInt64(size), 1), let offset = load(low - 1, 12, as: UInt32.self),
      let nameCount = load(low - 1, 16, as: UInt32.self),
      let name = bytes.slice(namesOffset + Int(offset), count: Int(nameCount))
    else { return }
    body(name, address - start)
  }

  private func load<T: FixedWidthInteger & BitwiseCopyable>(_ index: Int, _ field: Int, as type: T.Type) -> T? {
    bytes.load(16 + index * MemoryLayout<SymbolRecord>.stride + field, as: T.self)
  }
}
