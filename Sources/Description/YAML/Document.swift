// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Yams

/// A YAML file as a tree of values with places; YAML's own guesses at types are not asked for.
struct Document {
  /// `nil` if the file holds nothing, or nothing that is YAML.
  private(set) var root: Value?
  /// What the tree had that descriptions do not have.
  private(set) var problems: [(Place, FileProblem)] = []

  init(yaml: String) {
    var text = UniqueKeys(yaml)
    do {
      root = try text.parse { convert($0, original: $1) }
    } catch {
      problems = [Self.explain(error, in: yaml)]
    }
  }

  private mutating func convert(_ node: Node, original: UniqueKeys) -> Value {
    let place = Place(node.mark)
    guard isPlain(node, at: place) else { return Value(place: place, content: .refused) }
    switch node {
    case .scalar(let scalar):
      let isNothing = scalar.string.isEmpty && scalar.style == .plain
      return Value(place: place, content: isNothing ? .nothing : .text(scalar.string))
    case .sequence(let sequence):
      return Value(place: place, content: .list(sequence.map { convert($0, original: original) }))
    case .mapping(let mapping):
      return Value(place: place, content: .map(mapping.compactMap { entry($0, original: original) }))
    case .alias:
      problems.append((place, .anchor))
      return Value(place: place, content: .refused)
    }
  }

  private mutating func entry(_ pair: Node.Mapping.Element, original: UniqueKeys) -> Value.Entry? {
    let place = Place(pair.key.mark)
    guard isPlain(pair.key, at: place) else { return nil }
    guard let scalar = pair.key.scalar else {
      problems.append((place, .keyNotText))
      return nil
    }
    let key = original.key(scalar.string, at: place)
    if key == "<<" {
      problems.append((place, .mergeKey))
      return nil
    }
    return Value.Entry(key: key, place: place, value: convert(pair.value, original: original))
  }

  /// Whether a node has neither anchor nor tag; reports it, once, if it has.
  private mutating func isPlain(_ node: Node, at place: Place) -> Bool {
    let tag = node.writtenTag
    guard node.anchor != nil || tag != nil else { return true }
    // An alias is the anchor's own node again, and so stands at the same place.
    if !problems.contains(where: { $0.0 == place }) {
      problems.append((place, tag.map { .tag($0) } ?? .anchor))
    }
    return false
  }
}

extension Document {
  /// What the parser says, in the form of our errors.
  private static func explain(_ error: YamlError, in yaml: String) -> (Place, FileProblem) {
    switch error {
    case .composer(_, let problem, let mark, _):
      let problem = String(problem.trimmingPrefix("but "))
      return (Place(mark), .notYAML(problem: problem, advice: "a description is one document without aliases"))
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
      let place = Place(mark)
      let full = [context?.text, problem].compactMap(\.self).joined(separator: ", ")
      let advice =
        Self.isTab(yaml, place)
        ? "indent with spaces, since YAML allows no tabs there"
        : "correct this line or the one before; text with special characters needs quotes"
      return (place, .notYAML(problem: full, advice: advice))
    case .reader(let problem, let offset, _, _):
      return (Place(character: offset ?? 0, of: yaml), .notYAML(problem: problem, advice: "remove that character"))
    case .duplicatedKeysInMapping(let keys, let context):
      let keys = keys.map { "'\($0)'" }.joined(separator: ", ")
      return (Place(context.mark), .notYAML(problem: "repeated key \(keys)", advice: "keep one of each"))
    default:
      return (Place(line: 1, column: 1), .notYAML(problem: "\(error)", advice: "correct the file"))
    }
  }

  private static func isTab(_ yaml: String, _ place: Place) -> Bool {
    let lines = yaml.split(separator: "\n", omittingEmptySubsequences: false)
    guard place.line <= lines.count else { return false }
    return lines[place.line - 1].unicodeScalars.dropFirst(place.column - 1).first == "\t"
  }
}

extension Node {
  /// The tag that the file gives this node; `nil` if none.
  fileprivate var writtenTag: String? {
    let tag =
      switch self {
      case .scalar(let scalar): scalar.tag
      case .mapping(let mapping): mapping.tag
      case .sequence(let sequence): sequence.tag
      case .alias(let alias): alias.tag
      }
    let name = tag.description
    // The parser gives nodes YAML's own tags as it pleases; we look at none of them.
    return name.isEmpty || name == "!" || name.hasPrefix("tag:yaml.org,2002:") ? nil : name
  }
}

extension Place {
  init(_ mark: Mark?) { self.init(line: mark?.line ?? 1, column: mark?.column ?? 1) }

  /// The place of a character counted from the start of a text.
  init(character offset: Int, of text: String) {
    let before = text.prefix(offset)
    let line = before.count(where: \.isNewline) + 1
    let column = before.reversed().prefix { !$0.isNewline }.reduce(1) { $0 + $1.unicodeScalars.count }
    self.init(line: line, column: column)
  }
}
