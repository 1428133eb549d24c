// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Yams

/// Gets a YAML text parsed that repeats keys.
///
/// The parser stops at the first map with a repeated key and tells the place of the first of the two only. Each time it
/// does, one character of that first key becomes a character of Unicode's private use area, so no other place moves,
/// and the parser tries again; `key(_:at:)` then says what stood there. So all repeated keys are found at once, and
/// the later one is reported, beside all other mistakes.
struct UniqueKeys {
  private var lines: [[Unicode.Scalar]]
  /// The keys that were changed, by their place.
  private var originals: [(place: Place, key: String)] = []
  /// More repeated keys than this are reported one at a time.
  private static let most = 50

  init(_ yaml: String) {
    lines = yaml.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(Array.init)
  }

  /// The key that the file has where a node's key is `text`.
  func key(_ text: String, at place: Place) -> String {
    originals.first { $0.place == place }?.key ?? text
  }

  /// Parses the text; `body` gets the root while its anchors are alive, which end with the parser.
  mutating func parse<Result>(_ body: (Node, UniqueKeys) -> Result) throws(YamlError) -> Result? {
    while true {
      do {
        let parser = try Parser(yaml: text)
        guard let root = try parser.singleRoot() else { return nil }
        return withExtendedLifetime(parser) { body(root, self) }
      } catch let error as YamlError {
        guard case .duplicatedKeysInMapping(let keys, let context) = error,
          replace(key: keys[0], at: Place(context.mark))
        else { throw error }
      } catch {
        throw .no
      }
    }
  }

  private var text: String {
    var view = String.UnicodeScalarView()
    for (index, line) in lines.enumerated() {
      if index > 0 { view.append("\n") }
      view.append(contentsOf: line)
    }
    return String(view)
  }

  /// Makes the key at `place` unlike all others; `false` if it is not plainly written there.
  private mutating func replace(key: String, at place: Place) -> Bool {
    guard originals.count < Self.most, lines.indices.contains(place.line - 1), let first = key.unicodeScalars.first,
      let unused = Unicode.Scalar(UInt32(0xE000 + originals.count))
    else { return false }
    let line = lines[place.line - 1]
    var column = place.column - 1
    if line.indices.contains(column), line[column] == "'" || line[column] == "\"" { column += 1 }
    guard line.indices.contains(column), line[column] == first else { return false }
    lines[place.line - 1][column] = unused
    originals.append((place, key))
    return true
  }
}
