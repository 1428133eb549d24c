// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// A screen of characters in memory: two bytes each, the sign and its colours, row by row.
package struct TextScreen: Equatable, Sendable {
  package let address: PhysicalAddress
  package let columns: Int
  package let rows: Int

  /// `nil` if there can be no such screen: all are in the 128 KiB from 0xA0000 on.
  package init?(at address: PhysicalAddress, columns: Int, rows: Int) {
    guard (20...132).contains(columns), (10...60).contains(rows), address >= PhysicalAddress(0xa_0000),
      fits(address.value - 0xa_0000, count: UInt64(2 * columns * rows), in: 128 * .KiB)
    else { return nil }
    self.address = address
    self.columns = columns
    self.rows = rows
  }

  /// Where its signs are.
  package var memory: PhysicalRange { PhysicalRange(start: address, size: UInt64(2 * columns * rows)) }

  /// The screen that a BIOS left; `nil` if it shows graphics, or there is none.
  package init?(_ area: BIOSDataArea) {
    let address: UInt64
    switch area.videoMode {
    case 2, 3: address = 0xb_8000
    case 7: address = 0xb_0000
    default: return nil
    }
    let rows = area.lastRow == 0 ? 25 : Int(area.lastRow) + 1
    self.init(at: PhysicalAddress(address), columns: Int(area.columns), rows: rows)
  }
}

/// What a boot loader says of the screen.
package enum LoaderScreen: Equatable, Sendable {
  /// Nothing: as the BIOS left it.
  case unknown
  case text(TextScreen)
  /// Pixels, for which there would have to be letters first.
  case graphics
}

extension BootInformation {
  /// The screen of characters that there is; `nil` if there is none, as after a start by UEFI, whose screens have pixels
  /// alone.
  package func textScreen<M: PhysicalMemory & ~Copyable>(in memory: borrowing M) -> TextScreen? {
    guard !isStartedByUEFI else { return nil }
    switch screen {
    case .text(let screen): return screen
    case .graphics: return nil
    case .unknown: return BIOSDataArea(in: memory).flatMap { TextScreen($0) }
    }
  }
}
