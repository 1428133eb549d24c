// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

private func bytes<T>(of value: T) -> [UInt8] {
  withUnsafeBytes(of: value) { Array($0) }
}

/// A table of functions given as address, size and name.
private func table(_ functions: [(UInt64, UInt32, String)]) -> [UInt8] {
  var records: [UInt8] = []
  var names: [UInt8] = []
  for (address, size, name) in functions {
    records += bytes(
      of: SymbolRecord(
        address: address, size: size, nameOffset: UInt32(names.count), nameCount: UInt32(name.utf8.count)))
    names += Array(name.utf8)
  }
  let header = SymbolHeader(count: UInt32(functions.count), namesOffset: UInt32(16 + records.count))
  return bytes(of: header) + records + names
}

/// The function at an address, as `name+offset`.
private func lookUp(_ address: UInt64, in content: [UInt8]) -> String? {
  guard let table = SymbolTable(content.span.bytes) else { return nil }
  var found: String?
  table.symbol(at: address) { name, offset in
    let text = (0..<name.byteCount).compactMap { name.load($0, as: UInt8.self) }
    found = String(decoding: text, as: UTF8.self) + "+\(offset)"
  }
  return found
}

private let good = table([(0x1000, 0x10, "start"), (0x1010, 0, "label"), (0x1020, 0x20, "main"), (0x2000, 8, "last")])

@Suite struct SymbolTableTests {
  private static let addresses: [(UInt64, String?)] = [
    (0, nil), (0xfff, nil), (0x1000, "start+0"), (0x100f, "start+15"), (0x1010, "label+0"), (0x1011, nil),
    (0x1020, "main+0"), (0x103f, "main+31"), (0x1040, nil), (0x2007, "last+7"), (0x2008, nil), (UInt64.max, nil),
  ]

  @Test(arguments: addresses)
  func `an address belongs to the function around it`(address: UInt64, name: String?) {
    #expect(lookUp(address, in: good) == name)
  }

  @Test func `an empty table knows nothing`() {
    #expect(isTable(table([])))
    #expect(lookUp(0x1000, in: table([])) == nil)
  }

  @Test func `what is no table is refused`() {
    #expect(!isTable([]))
    #expect(!isTable(Array(good.prefix(15))))
    #expect(!isTable([0] + good.dropFirst()))
    var many = good
    many.replaceSubrange(8..<12, with: [0xff, 0xff, 0xff, 0xff])
    #expect(!isTable(many))
    var far = good
    far.replaceSubrange(12..<16, with: [0xff, 0xff, 0xff, 0xff])
    #expect(!isTable(far))
  }

  @Test func `a name outside the table is not found`() {
    var content = good
    content.replaceSubrange(28..<32, with: [0xff, 0xff, 0xff, 0xff])
    #expect(lookUp(0x1000, in: content) == nil)
    #expect(lookUp(0x1020, in: content) == "main+0")
  }

  @Test func `no table traps`() {
    var random = SplitMix64(seed: 9)
    for _ in 0..<fuzzRounds(5000) {
      var content = good
      for _ in 0...(random.next() % 8) {
        let place = Int(random.next() % UInt64(content.count))
        content[place] = [0, 0xff, 0x7f, UInt8(truncatingIfNeeded: random.next())][Int(random.next() % 4)]
      }
      if random.next() % 4 == 0 { content.removeLast(Int(random.next() % UInt64(content.count))) }
      for address in [0x1000, 0x1025, 0x2000, random.next(), .max] { _ = lookUp(address, in: content) }
    }
  }

  private func isTable(_ content: [UInt8]) -> Bool { SymbolTable(content.span.bytes) != nil }
}
