// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What text shows of Swift code that the formatter laid out: a body ends at the indentation where it began.
extension SourceFile {
  /// The lines, counted from 1, between the braces of each function, initialiser, subscript and computed property.
  func bodies() -> [Range<Int>] {
    let declaration =
      /^ *(?:@\S+ )*(?:(?:public|package|internal|private|fileprivate|static|final|override|mutating|consuming|borrowing|nonisolated) )*(?:func |init\b|deinit\b|subscript\b|var .*\{$)/
    return lines.indices.compactMap { start in
      guard lines[start].contains("(") || lines[start].hasSuffix("{"), lines[start].contains(declaration),
        let open = openingBrace(from: start)
      else { return nil }
      let indentation = lines[start].prefix { $0 == " " }
      let end = lines[open...].dropFirst().firstIndex { $0.hasPrefix(indentation + "}") }
      return end.map { open + 2..<$0 + 1 }
    }
  }

  /// The modules it imports.
  func imports() -> [String] {
    lines.compactMap { line in
      line.firstMatch(of: /^(?:@\S+ )*(?:(?:public|package|internal|private|fileprivate) )?import (?:\w+ )?(\w+)/)
        .map { String($0.1) }
    }
  }

  /// Lines with `unsafe` that no SAFETY comment covers. It covers three lines below it, and as long as there are
  /// such lines with at most one other between them, these too. What only keeps or unwraps a pointer needs none.
  func unexplained() throws -> [Int] {
    var covered = -1
    let harmless = /unsafe self\.\w+ = \w+$|= unsafe \w+ else/
    return lines.indices.filter { index in
      let text = lines[index].drop { $0 == " " }
      if text.hasPrefix("//") {
        // A comment may be longer than its first line.
        if text.contains("SAFETY") || covered >= index { covered = index + 3 }
        return false
      }
      guard text.contains("unsafe"), text.contains(/(^|[^@\w.])unsafe\s/) else { return false }
      guard covered >= index || text.contains(harmless) || text.contains("SAFETY") else { return true }
      covered = max(covered, index + 2)
      return false
    }
  }

  /// The line on which the body of the declaration at `start` begins, unless it also ends there.
  private func openingBrace(from start: Int) -> Int? {
    for index in start..<min(start + 12, lines.count) {
      if lines[index].hasSuffix("{") { return index }
      if lines[index].hasSuffix("}") { return nil }
    }
    return nil
  }
}
