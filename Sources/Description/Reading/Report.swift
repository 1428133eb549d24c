// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Collects what is wrong while a description is read, so that one look tells everything.
struct Report {
  private var problems: [(place: Place, problem: Problem)] = []

  var isEmpty: Bool { problems.isEmpty }

  mutating func add(_ problem: Problem, at place: Place) { problems.append((place, problem)) }

  /// All that was found, in the order of the file.
  func errors(in file: String) -> DescriptionErrors {
    let sorted = problems.enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
    return DescriptionErrors(
      errors: sorted.map { DescriptionError(file: file, place: $0.element.place, problem: $0.element.problem) })
  }

  /// The values of a map that is a `section`: every key known and given once, none missing, each value of its kind.
  mutating func fields(of map: Value, as section: Section, owner: String, at place: Place) -> Fields {
    var values: [String: Value] = [:]
    var misspelt: [String] = []
    for entry in uniqueEntries(of: map, repeated: { .repeatedKey($0, firstLine: $1) }) {
      guard let key = section.keys.first(where: { $0.name == entry.key }) else {
        let problem = section.refuse(entry.key)
        if case .unknownKey(_, _, let nearest?, _) = problem { misspelt.append(nearest) }
        add(.shape(problem), at: entry.place)
        continue
      }
      // A value of the wrong kind still stands for its key, which is then not missing.
      let isRight = check(
        entry.value, is: key.form, subject: "'\(key.name)'", example: key.example, keyPlace: entry.place)
      values[key.name] = isRight ? entry.value : Value(place: entry.place, content: .refused)
    }
    for key in section.keys where key.isRequired && values[key.name] == nil && !misspelt.contains(key.name) {
      add(.shape(.missingKey(key.name, owner: owner, example: key.example)), at: place)
    }
    return Fields(owner: owner, values: values.filter { !$0.value.isRefused })
  }

  /// The entries of a map without those whose key came before, which are reported.
  mutating func uniqueEntries(
    of map: Value, repeated: (String, _ firstLine: Int) -> ShapeProblem
  ) -> [Value.Entry] {
    var unique: [Value.Entry] = []
    var lines: [String: Int] = [:]
    for entry in map.entries {
      if let first = lines[entry.key] {
        add(.shape(repeated(entry.key, first)), at: entry.place)
      } else {
        lines[entry.key] = entry.place.line
        unique.append(entry)
      }
    }
    return unique
  }

  /// Whether a value is of the kind that `form` asks for; reports it if not.
  mutating func check(_ value: Value, is form: Form, subject: String, example: String, keyPlace: Place) -> Bool {
    switch (form, value.content) {
    case (_, .refused): return false
    case (.text, .text), (.word, .text), (.flag, .text), (.choice, .text), (.number, .text), (.numbers, .text),
      (.port, .text),
      (.list, .list),
      (.section, .map), (.named, .map):
      return true
    case (_, .nothing):
      add(.shape(.wrongType(subject: subject, expected: form.kind, found: value.kind, example: example)), at: keyPlace)
    default:
      add(
        .shape(.wrongType(subject: subject, expected: form.kind, found: value.kind, example: example)), at: value.place)
    }
    return false
  }
}

extension Value {
  fileprivate var isRefused: Bool { if case .refused = content { true } else { false } }
}

extension Section {
  /// Why this section does not have `key`.
  fileprivate func refuse(_ key: String) -> ShapeProblem {
    let known = keys.map(\.name)
    return .unknownKey(key, owner: title, nearest: nearest(to: key, in: known), known: known)
  }
}
