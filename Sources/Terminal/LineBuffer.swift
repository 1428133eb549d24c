// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The unfinished line of one writer, as it stands on the screen behind the name: characters, colours, the cursor.
///
/// Invariant: `bytes[0..<count]` is a row of whole UTF-8 characters and whole colour sequences, and `cursor` stands
/// before one of them or at the end.
struct LineBuffer {
  static var capacity: Int { 256 }

  private(set) var bytes: InlineArray<256, UInt8> = InlineArray(repeating: 0)
  private(set) var count = 0
  private(set) var cursor = 0
  /// Whether colours were set since the line began.
  private(set) var isStyled = false

  var isEmpty: Bool { count == 0 }
  var isAtEnd: Bool { cursor == count }

  mutating func clear() {
    count = 0
    cursor = 0
    isStyled = false
  }

  /// Whether `length` more bytes fit.
  func hasRoom(for length: Int) -> Bool { count + length <= Self.capacity }

  /// Adds a single-byte character at the end; what does not fit is left out.
  mutating func append(_ byte: UInt8) {
    guard hasRoom(for: 1) else { return }
    bytes[count] = byte
    count += 1
    cursor = count
  }

  /// Writes one character at the cursor, over the one that is there.
  mutating func put(_ text: InlineArray<32, UInt8>, count length: Int) {
    var start = cursor
    while start < count, bytes[start] == 0x1b { start = end(of: start) }
    let old = start < count ? end(of: start) - start : 0
    guard count - old + length <= Self.capacity else { return }
    move(from: start + old, to: start + length)
    for index in 0..<length { bytes[start + index] = text[index] }
    cursor = start + length
  }

  /// Notes a colour sequence, if it is at the end: within a line it colours what is written over, which is not kept.
  mutating func style(_ text: InlineArray<32, UInt8>, count length: Int) {
    isStyled = true
    guard isAtEnd, hasRoom(for: length) else { return }
    for index in 0..<length { bytes[count + index] = text[index] }
    count += length
    cursor = count
  }

  mutating func moveToStart() { cursor = 0 }
  mutating func moveToEnd() { cursor = count }

  /// Moves the cursor left.
  /// - Returns: How many columns it moved: it stops at the line's start.
  mutating func moveLeft(_ columns: Int) -> Int {
    let before = column
    let target = max(before - columns, 0)
    cursor = 0
    _ = moveRight(target)
    return before - target
  }

  /// Moves the cursor right.
  /// - Returns: How many columns it moved: it stops at the line's end.
  mutating func moveRight(_ columns: Int) -> Int {
    var moved = 0
    while moved < columns, cursor < count {
      let isVisible = bytes[cursor] != 0x1b
      cursor = end(of: cursor)
      if isVisible { moved += 1 }
    }
    return moved
  }

  /// Forgets what is right of the cursor.
  mutating func truncate() { count = cursor }

  /// Columns left of the cursor.
  var column: Int { columns(0, cursor) }
  /// Columns from the cursor to the end.
  var columnsToEnd: Int { columns(cursor, count) }
  /// Columns of the whole line.
  var width: Int { columns(0, count) }

  private func columns(_ start: Int, _ limit: Int) -> Int {
    var index = start
    var columns = 0
    while index < limit {
      if bytes[index] != 0x1b { columns += 1 }
      index = end(of: index)
    }
    return columns
  }

  /// The index behind the character or colour sequence that begins at `start`.
  private func end(of start: Int) -> Int {
    var index = start + 1
    if bytes[start] == 0x1b {
      while index < count, bytes[index - 1] != 0x6d { index += 1 }
    } else {
      while index < count, bytes[index] & 0xc0 == 0x80 { index += 1 }
    }
    return index
  }

  /// Moves the bytes from `source` on, so that they begin at `target`.
  private mutating func move(from source: Int, to target: Int) {
    let length = count - source
    if target > source {
      for index in stride(from: length - 1, through: 0, by: -1) { bytes[target + index] = bytes[source + index] }
    } else if target < source {
      for index in 0..<length { bytes[target + index] = bytes[source + index] }
    }
    count = target + length
  }
}
