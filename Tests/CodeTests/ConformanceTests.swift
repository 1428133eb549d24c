// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// The page that says which test shows what virtio asks of a device.
struct ConformanceTests {
  @Test func `each test that the page names exists`() throws {
    let files = try SourceFile.swift(under: ["Tests"])
    let known = Set(
      files.flatMap { file in
        file.lines.compactMap { $0.firstMatch(of: /func `([^`]+)`|^(?:@Suite )?(?:final )?(?:struct|class) (\w+)/) }
          .compactMap { $0.1 ?? $0.2 }
      })
    let named = try Repository.text("Documentation/virtio-conformance.md").split(separator: "\n").filter(isRow)
      .flatMap(tests)
    #expect(named.count > 90)
    expectNone(named.filter { !known.contains($0) }.map(String.init))
  }

  private func isRow(_ line: Substring) -> Bool {
    line.hasPrefix("| ") && !line.hasPrefix("| §")
  }

  /// The last column: `Suite: a test · another · Suite: a third`, or a suite's name for all of it.
  private func tests(_ row: Substring) -> [Substring] {
    let column = row.split(separator: " | ").last ?? ""
    return column.split(separator: " · ").map { part in
      let name = part.firstMatch(of: /^(?:Switching, )?\w+: (.+?)(?: \|)?$/)?.1 ?? part
      return name.hasSuffix(" |") ? name.dropLast(2) : name
    }
  }
}
