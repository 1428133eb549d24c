// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The rows that a message is shown in: each of at most `LogLine.rowCapacity` characters and, where words are not very
/// long, cut between two of them. All but the first begin two columns behind the first.
package struct LogRows {
  private let message: LogLine
  private let indentation: Int
  private var start = 0
  private var isAtEnd = false

  package init(_ message: LogLine) {
    self.message = message
    var blanks = 0
    while blanks < min(message.count, 16), message.bytes[blanks] == 0x20 { blanks += 1 }
    indentation = blanks + 2
  }

  /// The next row; `nil` behind the last. An empty message has one.
  package mutating func next() -> LogLine? {
    guard !isAtEnd else { return nil }
    var row = LogLine()
    if start > 0 { row.pad(to: indentation) }
    let end = end(room: LogLine.rowCapacity - row.count)
    for index in start..<end { row.append(byte: message.bytes[index]) }
    start = end
    while start < message.count, message.bytes[start] == 0x20 { start += 1 }
    isAtEnd = start == message.count
    return row
  }

  /// Where a row with `room` characters ends: at the last blank of its second half, or where it is full.
  private func end(room: Int) -> Int {
    guard message.count - start > room else { return message.count }
    var end = start + room
    while end > start + room / 2 {
      if message.bytes[end] == 0x20 { return end }
      end -= 1
    }
    return start + room
  }
}
