// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A command as the model controller found it in memory.
struct ModelCommand {
  var slot: Int
  var code: UInt8
  var features: UInt16
  var lba: UInt64
  var count: UInt16
  var device: UInt8
  var isWrite: Bool
  var entries: [(address: UInt64, count: Int)]

  var isQueued: Bool { code == 0x60 || code == 0x61 }

  var isTransfer: Bool { [0x25, 0x35, 0x3d, 0x60, 0x61].contains(code) }

  /// Sectors of a read or write.
  var sectors: Int {
    let count = isQueued ? features : count
    return count == 0 ? 65536 : Int(count)
  }

  var byteCount: Int { entries.map(\.count).reduce(0, +) }

  /// Reads a command list's entry and its table (AHCI 1.3.1, §4.2.2, §4.2.3); says what is wrong with them.
  init?(slot: Int, list: UInt64, memory: ModelMemory, wrong: (String) -> Void) {
    guard let header = memory.bytes(list + UInt64(slot * 32), 32) else {
      wrong("the command list is not in memory")
      return nil
    }
    let word = header.loadUnaligned(as: UInt32.self)
    let start = header.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    let entryCount = Int(word >> 16)
    guard word & 0x1f == 5, start % 128 == 0, let table = memory.bytes(start, 0x80 + entryCount * 16) else {
      wrong("slot \(slot): header \(word) or table \(start)")
      return nil
    }
    guard table[0] == 0x27, table[1] == 0x80 else {
      wrong("slot \(slot): not a command frame")
      return nil
    }
    self.slot = slot
    code = table[2]
    features = UInt16(table[3]) | UInt16(table[11]) << 8
    lba = [4, 5, 6, 8, 9, 10].enumerated().reduce(0) { $0 | UInt64(table[$1.element]) << (8 * $1.offset) }
    count = UInt16(table[12]) | UInt16(table[13]) << 8
    device = table[7]
    isWrite = word & 0x40 != 0
    entries = (0..<entryCount).map { index in
      let entry = 0x80 + index * 16
      let size = Int(table.loadUnaligned(fromByteOffset: entry + 12, as: UInt32.self)) + 1
      return (table.loadUnaligned(fromByteOffset: entry, as: UInt64.self), size)
    }
    for entry in entries where entry.address % 2 != 0 || entry.count % 2 != 0 || entry.count > 4 << 20 {
      wrong("slot \(slot): entry \(entry)")
    }
  }
}
