// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A JSON document whose members keep their order.
indirect enum JSON {
  case text(String)
  case number(Int)
  case boolean(Bool)
  case array([JSON])
  case object([(String, JSON)])

  /// The document, two spaces a level; an array is one line.
  func text(indentation: String = "") -> String {
    switch self {
    case .text(let text): Self.quote(text)
    case .number(let number): "\(number)"
    case .boolean(let flag): flag ? "true" : "false"
    case .array(let elements): "[" + elements.map { $0.text() }.joined(separator: ", ") + "]"
    case .object(let members):
      "{\n"
        + members.map { "\(indentation)  \(Self.quote($0)): \($1.text(indentation: indentation + "  "))" }
        .joined(separator: ",\n") + "\n\(indentation)}"
    }
  }

  private static func quote(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
