// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

/// The rules see what they are meant to see.
struct RuleTests {
  @Test func `bodies are measured between their braces`() {
    let file = SourceFile(
      "sample.swift",
      text: """
        struct Sample {
          var short: Int { 1 }
          package var long: Int {
            1
          }
          @discardableResult
          private static func three(
            _ first: Int
          ) -> Int {
            if first > 0 {
              return 1
            }
          }
          init() {}
        }
        """)

    #expect(file.bodies() == [4..<5, 10..<13])
  }

  @Test func `an explanation covers the operations right below it`() throws {
    let file = SourceFile(
      "sample.swift",
      text: """
        // SAFETY: both pointers
        // point to enough bytes.
        let a = unsafe x.load()
        let b = 1
        let c = unsafe y.load()
        let d = 2
        let e = 3
        let f = unsafe z.load()
        unsafe self.base = base
        guard let g = unsafe base else { return }
        let h = g  // nothing unsafe here
        """)

    #expect(try file.unexplained() == [7])
  }

  @Test func `imports are seen in all their forms`() {
    let file = SourceFile(
      "sample.swift", text: "import A\npackage import B\n@testable import C\nimport struct D.E\n// import F\n")

    #expect(file.imports() == ["A", "B", "C", "D"])
  }
}
