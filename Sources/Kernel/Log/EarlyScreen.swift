// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Firmware
import Synchronization
import _Volatile

/// The screen of characters, where there is one: what the kernel says is there for who has no serial line yet. Nothing
/// is written to it once the console runs, but for a panic.
struct EarlyScreen: ~Copyable {
  /// Address, columns from bit 32 on, rows from bit 48 on; 0 if there is no screen.
  private let geometry = Atomic<UInt64>(0)
  /// Row, and column below it in 16 bits.
  private let position = Atomic<UInt32>(0)

  /// Writes to `screen` from now on, from its first row; nowhere if there is none.
  func use(_ screen: TextScreen?) {
    position.store(0, ordering: .relaxed)
    let word = screen.map { $0.address.value | UInt64($0.columns) << 32 | UInt64($0.rows) << 48 } ?? 0
    geometry.store(word, ordering: .releasing)
    guard let screen else { return }
    for cell in 0..<screen.columns * screen.rows { Self.cell(screen, cell).store(0x0720) }
  }

  func write(_ byte: UInt8) {
    let word = geometry.load(ordering: .acquiring)
    guard word != 0,
      let screen = TextScreen(
        at: PhysicalAddress(word.bits(0, count: 32)), columns: Int(word.bits(32, count: 16)),
        rows: Int(word.bits(48, count: 16)))
    else { return }
    let place = position.load(ordering: .relaxed)
    var cursor = TextCursor(screen, row: Int(place >> 16), column: Int(place & 0xffff))
    cursor.put(byte, load: { Self.cell(screen, $0).load() }, store: { Self.cell(screen, $0).store($1) })
    position.store(UInt32(cursor.row) << 16 | UInt32(cursor.column), ordering: .relaxed)
  }

  private static func cell(_ screen: TextScreen, _ index: Int) -> VolatileMappedRegister<UInt16> {
    // SAFETY: a `TextScreen` lies in the 128 KiB that are kept for screens, `TextCursor` stays inside it, and it is among
    // the registers that are mapped since before the kernel's first instruction.
    unsafe VolatileMappedRegister(
      unsafeBitPattern: UInt(bitPattern: DirectMap.device(screen.address + UInt64(2 * index))))
  }
}

let earlyScreen = EarlyScreen()
