// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a kernel module says of itself in its `.modinfo` section.
package struct ModuleInformation: Equatable, Sendable {
  /// The modules it needs, by name.
  package var dependencies: [String] = []
  /// The patterns of the devices (and names) it is the driver for.
  package var aliases: [String] = []

  package init(dependencies: [String] = [], aliases: [String] = []) {
    self.dependencies = dependencies
    self.aliases = aliases
  }

  /// Reads a module's ELF file; `nil` if it is none, or has no such section.
  package init?(module bytes: [UInt8]) {
    // SAFETY: bytes are integers without padding; the span ends before `bytes` does.
    guard let section = unsafe ELFSection(named: ".modinfo", in: bytes.span.bytes) else { return nil }
    for entry in bytes[section.range].split(separator: 0) {
      let text = String(decoding: entry, as: UTF8.self)
      guard let equals = text.firstIndex(of: "=") else { continue }
      let value = text[text.index(after: equals)...]
      switch text[..<equals] {
      case "depends": dependencies += value.split(separator: ",").map { Self.canonical($0) }
      // "pre: a b post: c": modules that must be there before, or should be after, without a symbol to show it.
      case "softdep":
        let words = value.split(separator: " ").filter { !$0.hasSuffix(":") }
        // A name with a prefix is an alias, not a module: the kernel asks for it by itself.
        dependencies += words.map { Self.canonical($0) }.filter { !$0.hasPrefix("crypto_") }
      case "alias": aliases.append(String(value))
      default: break
      }
    }
  }

  /// A module's name, in which the kernel takes - for _.
  package static func canonical(_ name: some StringProtocol) -> String {
    String(name.map { $0 == "-" ? "_" : $0 })
  }
}

/// Where a section lies in an ELF file of either class; every offset in the file is checked.
struct ELFSection {
  let range: Range<Int>

  init?(named name: String, in file: RawSpan) {
    guard file.load(0, as: UInt32.self) == 0x464c_457f, let elfClass = file.load(4, as: UInt8.self) else { return nil }
    let is64 = elfClass == 2
    guard let table = Self.word(file, is64 ? 0x28 : 0x20, is64),
      let size = file.load(is64 ? 0x3a : 0x2e, as: UInt16.self),
      let count = file.load(is64 ? 0x3c : 0x30, as: UInt16.self),
      let namesIndex = file.load(is64 ? 0x3e : 0x32, as: UInt16.self),
      table <= file.byteCount,
      let names = Self.header(file, table + Int(namesIndex) * Int(size), is64)
    else { return nil }
    for index in 0..<Int(count) {
      guard let header = Self.header(file, table + index * Int(size), is64) else { return nil }
      guard let start = names.range.lowerBound.adding(header.name, within: file.byteCount) else { continue }
      if Self.matches(file, at: start, name) {
        range = header.range
        return
      }
    }
    return nil
  }

  private static func header(_ file: RawSpan, _ at: Int, _ is64: Bool) -> (name: Int, range: Range<Int>)? {
    guard let name = file.load(at, as: UInt32.self),
      let offset = word(file, at + (is64 ? 0x18 : 0x10), is64),
      let size = word(file, at + (is64 ? 0x20 : 0x14), is64),
      let end = offset.adding(size, within: file.byteCount)
    else { return nil }
    return (Int(name), offset..<end)
  }

  /// An address-sized number; `nil` if it is outside the file or too big to be an offset.
  private static func word(_ file: RawSpan, _ at: Int, _ is64: Bool) -> Int? {
    is64
      ? file.load(at, as: UInt64.self).flatMap { Int(exactly: $0) }
      : file.load(at, as: UInt32.self).map { Int($0) }
  }

  private static func matches(_ file: RawSpan, at start: Int, _ name: String) -> Bool {
    var offset = start
    for byte in name.utf8 {
      guard file.load(offset, as: UInt8.self) == byte else { return false }
      offset += 1
    }
    return file.load(offset, as: UInt8.self) == 0
  }
}

extension Int {
  /// The sum, if it is not beyond `limit`.
  fileprivate func adding(_ other: Int, within limit: Int) -> Int? {
    self <= limit && other >= 0 && limit - self >= other ? self + other : nil
  }
}
