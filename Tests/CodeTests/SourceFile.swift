// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// A source file and its lines.
struct SourceFile: CustomTestStringConvertible {
  /// From the repository's root.
  let path: String
  let lines: [Substring]

  init(_ path: String) throws { self.init(path, text: try Repository.text(path)) }

  init(_ path: String, text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  var testDescription: String { path }

  /// The folder right under Sources, which is the module's name.
  var module: String { String(path.split(separator: "/").dropFirst().first ?? "") }

  /// Lines of the file that break a rule, for people: `path:line: text`.
  func places(_ indices: [Int]) -> [String] { indices.map { "\(path):\($0 + 1): \(lines[$0])" } }

  /// All that is written in Swift, C or assembly.
  static func all(under folders: [String] = ["Sources", "Tests", "Benchmarks"]) throws -> [SourceFile] {
    let files = folders.flatMap { Repository.files(under: $0, ["swift", "c", "h", "S", "ld"]) }
    try #require(!files.isEmpty, "no files under \(folders)")
    return try files.map { try SourceFile($0) }
  }

  static func swift(under folders: [String] = ["Sources", "Tests", "Benchmarks"]) throws -> [SourceFile] {
    try all(under: folders).filter { $0.path.hasSuffix(".swift") }
  }
}

/// Nothing breaks the rule; if something does, all of it is shown.
func expectNone(_ places: some Collection<String>, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(places.isEmpty, "\(places.count) places:\n\(places.joined(separator: "\n"))", sourceLocation: sourceLocation)
}
