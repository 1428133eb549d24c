// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A key that a section of the description can have.
///
/// The parser and the published JSON Schema both come from these.
struct Key: Equatable, Sendable {
  let name: String
  var isRequired = false
  let form: Form
  /// The key with a value that could stand there.
  let example: String
  /// One sentence, which editors show.
  let summary: String
}

/// What a key's value looks like.
indirect enum Form: Equatable, Sendable {
  /// Text that matches a regular expression as a whole, of at most so many characters.
  case text(pattern: String, maximum: Int?)
  /// A name that matches, or a number that may be written with `0x`.
  case port(pattern: String, ClosedRange<Int>)
  /// One of these words.
  case word([String])
  /// `true` or `false`.
  case flag
  /// One of these numbers.
  case choice([Int])
  case number(ClosedRange<Int>)
  /// A number, or a range of them like `10-20`.
  case numbers(ClosedRange<Int>)
  /// A list of so many of the same kind.
  case list(Form, count: ClosedRange<Int>)
  case section(Section)
  /// A map from names to sections.
  case named(Section, count: ClosedRange<Int>)

  /// What the value must be in YAML, for messages.
  var kind: String {
    switch self {
    case .text, .word, .flag: "text"
    case .port: "text or a number"
    case .choice, .number: "a number"
    case .numbers: "a number or a range"
    case .list: "a list"
    case .section, .named: "a map"
    }
  }
}

/// A map with known keys.
struct Section: Equatable, Sendable {
  /// As in "'x' is not a key of …".
  let title: String
  let keys: [Key]
}

/// The regular expressions of the description, in the dialect that Swift and JSON Schema share.
enum Pattern {
  static let name = "[A-Za-z][A-Za-z0-9-]*"
  static let size = "[0-9]{1,9} ?(MiB|GiB)"
  static let numbers = "[0-9]{1,9}(-[0-9]{1,9})?"
  static let macAddress = "[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}"
  static let rate = "[0-9]{1,9} ?(kbit|Mbit|Gbit)/s"
  static let uart = "com[1-4]|0x[0-9A-Fa-f]{3,4}"
  static let printable = "[ -~]*"
  static let kernel = "debian:i386|debian:amd64|" + path
  static let initrd = "guest:busybox|" + path
  static let pciAddress = "([0-9A-Fa-f]{4}:)?[0-9A-Fa-f]{2}:[01][0-9A-Fa-f]\\.[0-7]"
  static let partitionUUID =
    "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{2}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
  static let diskRate = "[0-9]{1,9} ?(kB|MB|GB)/s"
  /// What has no colon, or starts like a path.
  static let path = "[^:]+|[./].+"
}
