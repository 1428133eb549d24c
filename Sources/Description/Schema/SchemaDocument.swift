// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

extension System {
  /// The JSON Schema (draft 2020-12) of a description, which is systems/schema.json.
  ///
  /// It says what a schema can: keys, kinds and forms. Sums, files and cores that are not there only the parser knows.
  package static var jsonSchema: String {
    var members: [(String, JSON)] = [
      ("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
      ("title", .text("Roost system description")),
    ]
    members += Section.system.schema
    return JSON.object(members).text() + "\n"
  }
}

extension Section {
  fileprivate var schema: [(String, JSON)] {
    [
      ("type", .text("object")),
      ("additionalProperties", .boolean(false)),
      ("required", .array(keys.filter(\.isRequired).map { .text($0.name) })),
      ("properties", .object(keys.map { ($0.name, $0.schema) })),
    ]
  }
}

extension Key {
  fileprivate var schema: JSON { .object([("description", .text(summary))] + form.schema) }
}

extension Form {
  fileprivate var schema: [(String, JSON)] {
    switch self {
    case .text(let pattern, let maximum):
      [("type", .text("string")), ("pattern", .text("^(\(pattern))$"))]
        + (maximum.map { [("maxLength", .number($0))] } ?? [])
    case .port(let pattern, let range):
      [
        ("type", .array([.text("integer"), .text("string")])), ("minimum", .number(range.lowerBound)),
        ("maximum", .number(range.upperBound)), ("pattern", .text("^(\(pattern))$")),
      ]
    case .word(let words): [("enum", .array(words.map { .text($0) }))]
    case .flag: [("type", .text("boolean"))]
    case .choice(let numbers): [("enum", .array(numbers.map { .number($0) }))]
    case .number(let range):
      [("type", .text("integer")), ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound))]
    case .numbers(let range):
      [
        ("type", .array([.text("integer"), .text("string")])), ("minimum", .number(range.lowerBound)),
        ("maximum", .number(range.upperBound)), ("pattern", .text("^(\(Pattern.numbers))$")),
      ]
    case .list(let element, let count):
      [
        ("type", .text("array")), ("items", .object(element.schema)),
        ("minItems", .number(count.lowerBound)), ("maxItems", .number(count.upperBound)),
      ]
    case .section(let section): section.schema
    case .named(let section, let count):
      [
        ("type", .text("object")),
        ("propertyNames", .object(Key.name.form.schema)),
        ("minProperties", .number(count.lowerBound)), ("maxProperties", .number(count.upperBound)),
        ("additionalProperties", .object(section.schema)),
      ]
    }
  }
}
