// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// One pattern being looked for in a text that grows: what was searched in vain is not searched again.
struct Search {
  private let pattern: Pattern
  private var searched = 0

  init(_ pattern: Pattern) { self.pattern = pattern }

  /// The first match in `plain` from `start` on, and where it ends.
  mutating func run(
    in plain: [UInt8], from start: Int, arrivals: [(end: Int, time: ContinuousClock.Instant)]
  ) throws -> (match: Match, end: Int)? {
    guard let (range, captures) = try find(in: plain, from: start) else { return nil }
    let time = arrivals[arrivals.partitionPoint { $0.end >= range.upperBound }].time
    let line = lineAround(range, in: plain)
    let match = Match(
      text: String(decoding: plain[range], as: UTF8.self), line: String(decoding: plain[line], as: UTF8.self),
      captures: captures, time: time, before: String(decoding: plain[start..<range.lowerBound], as: UTF8.self))
    return (match, range.upperBound)
  }

  private mutating func find(in plain: [UInt8], from start: Int) throws -> (Range<Int>, [String])? {
    switch pattern {
    case .text(let text):
      let needle = Array(text.utf8)
      let from = max(start, searched)
      searched = max(start, plain.count - needle.count + 1)
      return plain.firstRange(of: needle, from: from).map { ($0, []) }
    case .line(let expression):
      return try findLine(Regex(expression), in: plain, from: max(start, searched), needsEnd: false)
    case .wholeLine(let expression):
      return try findLine(Regex(expression), in: plain, from: max(start, searched), needsEnd: true)
    }
  }

  private mutating func findLine(
    _ expression: Regex<AnyRegexOutput>, in plain: [UInt8], from start: Int, needsEnd: Bool
  ) throws -> (Range<Int>, [String])? {
    var begin = start
    while begin < plain.count {
      let newline = plain[begin...].firstIndex(of: UInt8(ascii: "\n"))
      if newline == nil, needsEnd { break }
      let end = newline ?? plain.count
      let line = String(decoding: plain[begin..<end], as: UTF8.self)
      if let match = try expression.firstMatch(in: line), newline != nil || !match.mayGrow(in: line) {
        let lower = line.utf8.distance(from: line.startIndex, to: match.range.lowerBound)
        let upper = line.utf8.distance(from: line.startIndex, to: match.range.upperBound)
        return (begin + lower..<begin + upper, match.output.dropFirst().map { String($0.substring ?? "") })
      }
      // The line may go on, and match then.
      searched = newline == nil ? begin : end + 1
      begin = end + 1
    }
    return nil
  }

  private func lineAround(_ range: Range<Int>, in plain: [UInt8]) -> Range<Int> {
    let newline = UInt8(ascii: "\n")
    let begin = plain[..<range.lowerBound].lastIndex(of: newline).map { $0 + 1 } ?? 0
    return begin..<(plain[range.upperBound...].firstIndex(of: newline) ?? plain.count)
  }
}

extension Regex<AnyRegexOutput>.Match {
  /// Whether a group caught the end of a line that is not finished: more of it may come, as of `drive_interrupts=10|89`.
  fileprivate func mayGrow(in line: String) -> Bool {
    output.dropFirst().contains { $0.range?.upperBound == line.endIndex }
  }
}

extension Array where Element == UInt8 {
  /// The first place at or after `start` where `needle` stands.
  func firstRange(of needle: [UInt8], from start: Int) -> Range<Int>? {
    guard let first = needle.first else { return nil }
    var from = start
    while let begin = self[Swift.min(from, count)...].firstIndex(of: first), begin + needle.count <= count {
      if self[begin..<begin + needle.count].elementsEqual(needle) { return begin..<begin + needle.count }
      from = begin + 1
    }
    return nil
  }

}

extension Array {
  /// The index of the first element that `belongs` to the second part, of an array whose first part does not.
  func partitionPoint(_ belongs: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
