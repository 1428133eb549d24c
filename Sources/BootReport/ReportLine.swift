// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

// The report is what a person who has just switched the machine on wants to know: what it is, who has what of it, and
// how long it took. A row of the log has 112 characters, and serial terminals mostly 80; names have at most 24.

/// Where the columns of the report's lines begin or, of numbers, end.
enum Column {
  static var indentation: Int { 2 }
  static var text: Int { 14 }
  static var name: Int { 2 }
  static var core: Int { 32 }
  static var memory: Int { 44 }
  static var note: Int { 46 }
  static var owner: Int { 16 }
  static var device: Int { 42 }
}

extension LogLine {
  /// A line that says one thing of the machine: "  memory      8 GiB".
  package init(report subject: StaticString, _ text: LogLine) {
    self.init()
    pad(to: Column.indentation)
    append(subject)
    pad(to: Column.text)
    appendInterpolation(text)
  }
}

/// Many short items behind one subject, in as many lines as they need.
package struct ReportList {
  private static var width: Int { 100 }

  private let subject: StaticString
  private var line: LogLine
  private var isEmpty = true

  package init(_ subject: StaticString) {
    self.subject = subject
    line = LogLine(report: subject, "")
  }

  /// Adds an item.
  /// - Returns: The line before it, if that is full.
  package mutating func add(_ item: LogLine) -> LogLine? {
    var full: LogLine?
    if !isEmpty {
      line.append(",")
      if line.count + 1 + item.count > Self.width {
        full = line
        line = LogLine(report: "", "")
      } else {
        line.append(" ")
      }
    }
    line.appendInterpolation(item)
    isEmpty = false
    return full
  }

  /// The last line; `nil` if nothing was added.
  package func end() -> LogLine? { isEmpty ? nil : line }
}
