// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A set of addresses, kept as at most 128 sorted ranges that neither overlap nor touch.
///
/// When an operation needs more ranges than there is room for, the smallest range is forgotten: the set may lose
/// addresses, it never gains any that were not put in.
struct RangeSet {
  /// The addresses `start ..< end`; never empty inside a set.
  struct Piece: Equatable, BitwiseCopyable {
    var start: UInt64
    var end: UInt64
    var size: UInt64 { end &- start }
  }

  static var capacity: Int { 128 }

  private var pieces: InlineArray<128, Piece> = InlineArray(repeating: Piece(start: 0, end: 0))
  private(set) var count = 0

  /// The range `index`, in ascending order.
  subscript(index: Int) -> Piece { pieces[index] }

  /// Adds `start ..< end`; nothing if that is empty.
  mutating func insert(_ start: UInt64, _ end: UInt64) {
    guard start < end else { return }
    var merged = Piece(start: start, end: end)
    var first = 0
    while first < count, pieces[first].end < start { first += 1 }
    while first < count, pieces[first].start <= end {
      merged.start = min(merged.start, pieces[first].start)
      merged.end = max(merged.end, pieces[first].end)
      close(first)
    }
    open(first, for: merged)
  }

  /// Takes `start ..< end` out; nothing if that is empty.
  mutating func remove(_ start: UInt64, _ end: UInt64) {
    guard start < end else { return }
    var index = 0
    while index < count, pieces[index].start < end {
      let piece = pieces[index]
      guard piece.end > start else {
        index += 1
        continue
      }
      close(index)
      let low = Piece(start: piece.start, end: max(piece.start, start))
      let high = Piece(start: min(piece.end, end), end: piece.end)
      // The upper part first: it then moves up as the lower one takes its place.
      if high.size > 0 { open(index, for: high) }
      if low.size > 0 { open(index, for: low) }
      if high.size > 0 { return }
      if low.size > 0 { index += 1 }
    }
  }

  /// Whether all of `start ..< end` is in the set.
  func contains(_ start: UInt64, _ end: UInt64) -> Bool {
    for index in 0..<count where pieces[index].start <= start && end <= pieces[index].end { return true }
    return false
  }

  /// Closes the gap that range `index` leaves.
  private mutating func close(_ index: Int) {
    for next in index..<(count - 1) { pieces[next] = pieces[next + 1] }
    count -= 1
  }

  /// Puts `piece` at `index`, or forgets the smallest of all if there is no room.
  private mutating func open(_ index: Int, for piece: Piece) {
    var place = index
    if count == Self.capacity {
      var smallest = 0
      for other in 1..<count where pieces[other].size < pieces[smallest].size { smallest = other }
      guard pieces[smallest].size < piece.size else { return }
      close(smallest)
      if smallest < place { place -= 1 }
    }
    for next in stride(from: count, to: place, by: -1) { pieces[next] = pieces[next - 1] }
    pieces[place] = piece
    count += 1
  }
}
