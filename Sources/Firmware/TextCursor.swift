// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Where the next sign goes on a screen of characters, and what it does there.
package struct TextCursor: Equatable, Sendable {
  private let columns: Int
  private let rows: Int
  package private(set) var row: Int
  package private(set) var column: Int

  /// Light grey on black.
  private static var colours: UInt16 { 0x0700 }

  /// - Parameter row, column: Where it was left; what is no place of the screen counts as its last line.
  package init(_ screen: TextScreen, row: Int, column: Int) {
    columns = screen.columns
    rows = screen.rows
    self.row = (0..<rows).contains(row) ? row : rows - 1
    self.column = (0..<columns).contains(column) ? column : 0
  }

  /// Shows a byte, with `load` and `store` for the cells: a line that is full goes on in the next, and below the last
  /// line all others move up.
  package mutating func put(_ byte: UInt8, load: (Int) -> UInt16, store: (Int, UInt16) -> Void) {
    switch byte {
    case 0x0d: column = 0
    case 0x0a:
      moveDown(load: load, store: store)
    default:
      store(row * columns + column, Self.colours | UInt16((0x20...0x7e).contains(byte) ? byte : 0x3f))
      column += 1
      guard column == columns else { return }
      column = 0
      moveDown(load: load, store: store)
    }
  }

  private mutating func moveDown(load: (Int) -> UInt16, store: (Int, UInt16) -> Void) {
    guard row == rows - 1 else {
      row += 1
      return
    }
    for cell in 0..<(rows - 1) * columns { store(cell, load(cell + columns)) }
    for cell in (rows - 1) * columns..<rows * columns { store(cell, Self.colours | 0x20) }
  }
}
