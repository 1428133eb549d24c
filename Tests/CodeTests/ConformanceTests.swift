// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// The pages that say which test shows what: what virtio asks of a device, and what stops whoever is hostile.
struct ConformanceTests {
  /// With how many tests each names at least.
  @Test(arguments: [("virtio-conformance", 90), ("threat-model", 60)])
  func `each test that the page names exists`(page: String, count: Int) throws {
    let files = try SourceFile.swift(under: ["Tests"])
    let known = Set(
      files.flatMap { file in
        file.lines.compactMap { $0.firstMatch(of: /func `([^`]+)`|^(?:@Suite )?(?:final )?(?:struct|class) (\w+)/) }
          .compactMap { $0.1 ?? $0.2 }
      })
    let named = try Repository.text("Documentation/\(page).md").split(separator: "\n").filter(isRow).flatMap(tests)
    #expect(named.count > count)
    expectNone(named.filter { !known.contains($0) && !known.contains(withoutSuite($0)) }.map(String.init))
  }

  private func isRow(_ line: Substring) -> Bool {
    line.hasPrefix("| ") && !line.hasSuffix("| Test |")
  }

  /// The last column: `Suite: a test · another · Suite: a third`, or a suite's name for all of it.
  private func tests(_ row: Substring) -> [Substring] {
    let column = row.split(separator: " | ").last ?? ""
    return column.split(separator: " · ").map { $0.hasSuffix(" |") ? $0.dropLast(2) : $0 }
  }

  private func withoutSuite(_ name: Substring) -> Substring {
    name.firstMatch(of: /^(?:Switching, )?\w+: (.+)$/)?.1 ?? name
  }
}
