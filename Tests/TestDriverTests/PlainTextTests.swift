// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// What a person sees of terminal output.
struct PlainTextTests {
  @Test(arguments: [
    ("plain\r\nlines\r\r\n", "plain\nlines\n"),
    ("written\r\u{1b}[Kover\r\n\rnot over", "written\nover\nnot over"),
    ("\u{1b}[1;32mvm0\u{1b}[0m login: ", "vm0 login: "),
    ("\u{1b}]0;a title\u{7}text", "text"),
    ("\u{1b}]0;a title\u{1b}\\text", "text"),
    ("\u{1b}(B\u{1b}7x\u{1b}[?25ly", "xy"),
    ("bell\u{7}, backspace\u{8}", "bell, backspace"),
    ("vm0 │ tab\there", "vm0 │ tab\there"),
  ])
  func `control sequences are left out`(raw: String, plain: String) {
    var stripper = PlainText()
    #expect(String(decoding: stripper.strip(raw.utf8), as: UTF8.self) == plain)
  }

  @Test func `a sequence may be cut anywhere`() {
    let raw = Array("a\u{1b}[1;32mb\u{1b}]0;t\u{7}c\u{1b}(Bd".utf8)
    for cut in raw.indices {
      var stripper = PlainText()
      #expect(stripper.strip(raw[..<cut]) + stripper.strip(raw[cut...]) == Array("abcd".utf8))
    }
  }
}
