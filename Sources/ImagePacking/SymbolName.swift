// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Turns the linker's names into names for people.
enum SymbolName {
  static let longest = 100

  /// At most `longest` characters of ASCII: a Swift function as `Type.function(label:)`, anything else as it is.
  static func readable(_ symbol: String) -> String {
    // Embedded Swift marks its names with an `e`, which older demanglers do not know.
    let isSwift = symbol.hasPrefix("$s") || symbol.hasPrefix("$e")
    let name = isSwift ? demangle("$s" + symbol.dropFirst(2)).map(shorten) ?? symbol : symbol
    return String(name.unicodeScalars.prefix(longest).map { (0x20...0x7e).contains($0.value) ? Character($0) : "?" })
  }

  /// Leaves out what a back trace does not need: modules, types of parameters and results, generic arguments.
  static func shorten(_ demangled: String) -> String {
    var text = Substring(demangled)
    while let specialization = text.range(of: " specialization <") {
      let rest = text[specialization.upperBound...]
      guard let end = rest.closing(of: "<", with: ">"), let of = rest[end...].range(of: " of ") else { break }
      text = rest[of.upperBound...]
    }
    let name = text.replacing(/\(extension in [^)]*\):/, with: "")
      .replacing(/\(([^ ()]+) in _[0-9A-F]+\)/) { $0.output.1 }
      .replacing(#/^(static|merged|dispatch thunk of) /#, with: "")
    // A closure or local function: its own signature is less than where it stands.
    if let local = name.firstMatch(of: /^([a-z ]*closure #[0-9]+|[^ (]+ #[0-9]+) .*? in (.+)$/) {
      return "\(local.output.1) in \(shorten(String(local.output.2)))"
    }
    return signature(of: withoutGenericArguments(String(name)))
  }

  /// `A.B.f(x: T) -> U` as `B.f(x:)`, `A.B.p.getter : T` as `B.p.getter`.
  private static func signature(of name: String) -> String {
    let type = name.range(of: " : ")?.lowerBound ?? name.endIndex
    guard let open = name.firstIndex(of: "("), open < type else {
      let accessors = ["getter", "setter", "modify", "read"]
      return path(name[..<type], names: accessors.contains { name[..<type].hasSuffix(".\($0)") } ? 3 : 2)
    }
    let rest = name[name.index(after: open)...]
    guard let close = rest.closing(of: "(", with: ")") else { return path(name[..<open]) }
    return path(name[..<open]) + "(" + labels(rest[..<close]) + ")"
  }

  /// The last names of each path in the text.
  private static func path(_ text: Substring, names count: Int = 2) -> String {
    text.split(separator: " ").map { word in
      let parts = word.split(separator: ".")
      return parts.isEmpty ? String(word) : parts.suffix(count).joined(separator: ".")
    }.joined(separator: " ")
  }

  /// The labels of a parameter list.
  private static func labels(_ parameters: Substring) -> String {
    var depth = 0
    var parts = [""]
    for character in parameters {
      if "([<".contains(character) { depth += 1 }
      if ")]>".contains(character), parts.last?.last != "-" { depth -= 1 }
      if character == ",", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
    }
    guard parts != [""] else { return "" }
    return parts.map { part in
      part.firstMatch(of: #/^ ?([A-Za-z_][A-Za-z0-9_]*): /#).map { "\($0.output.1):" } ?? "_:"
    }.joined()
  }

  private static func withoutGenericArguments(_ name: String) -> String {
    var result = ""
    var rest = Substring(name)
    while let open = rest.firstIndex(of: "<") {
      result += rest[..<open]
      let inside = rest[rest.index(after: open)...]
      // An operator's name has angles, too, but no letter before it.
      if result.last?.isLetter == true || result.last?.isNumber == true,
        let close = inside.closing(of: "<", with: ">")
      {
        rest = inside[inside.index(after: close)...]
      } else {
        result.append("<")
        rest = inside
      }
    }
    return result + rest
  }

  private static func demangle(_ symbol: String) -> String? {
    // SAFETY: the runtime reads `count` bytes of the name and returns a C string that is ours to free.
    guard let text = unsafe runtimeDemangle(symbol, symbol.utf8.count, nil, nil, 0) else { return nil }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }
}

/// The Swift runtime's own demangler; it has no interface in the standard library.
@_silgen_name("swift_demangle")
private func runtimeDemangle(
  _ name: UnsafePointer<CChar>, _ count: Int, _ output: UnsafeMutablePointer<CChar>?,
  _ size: UnsafeMutablePointer<Int>?, _ flags: UInt32
) -> UnsafeMutablePointer<CChar>?

extension Substring {
  /// Where the bracket closes that was opened just before this text; an arrow closes nothing.
  fileprivate func closing(of open: Character, with close: Character) -> Index? {
    var depth = 1
    var previous: Character = " "
    for index in indices {
      if self[index] == open { depth += 1 }
      if self[index] == close, previous != "-" { depth -= 1 }
      if depth == 0 { return index }
      previous = self[index]
    }
    return nil
  }
}
