// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import TestSupport
import Testing

@testable import Processors

/// A core that keeps translations for as long as the manuals let it: over entries and exits of guests, and for each number
/// until a write to CR3 forgets those of this number.
private struct ModelCore {
  private let hasNumbers: Bool
  private(set) var cr3 = PagingRoot(value: 0x1000)
  /// Whose tables the translations of a number came from.
  private var known: [UInt64: Set<UInt64>] = [:]

  init(hasNumbers: Bool) { self.hasNumbers = hasNumbers }

  mutating func write(_ word: UInt64) {
    cr3 = PagingRoot(value: word & ~(1 << 63))
    if word >> 63 == 0 || !hasNumbers { known[cr3.number] = [] }
  }

  /// A guest leaves for `root`: nothing is forgotten.
  mutating func exit(to root: PagingRoot) { cr3 = root }

  /// Runs something in the space that CR3 holds. → the tables that its translations may come from
  mutating func run() -> Set<UInt64> {
    known[cr3.number, default: []].insert(cr3.tables.value)
    return known[cr3.number, default: []]
  }
}

@Suite struct PagingRootTests {
  private func tables(_ domain: Int) -> PhysicalAddress { PhysicalAddress(0x10_0000 + UInt64(domain) * 0x1000) }

  @Test(arguments: [false, true])
  func `no component runs with the translations of another`(hasNumbers: Bool) {
    let numbers = SpaceNumbers(isPossible: hasNumbers, domainCount: 6)
    var core = ModelCore(hasNumbers: hasNumbers)
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<10_000 {
      let domain = Int.random(in: 0..<6, using: &generator)
      let root = numbers.root(ofDomain: domain, tables(domain))
      // As the kernel does: before ring 3, and before a guest whose exits end in this space.
      if core.cr3 != root { core.write(Bool.random() ? root.keeping : root.forgetting) }
      if Bool.random(using: &generator) { core.exit(to: root) }
      #expect(core.run() == [root.tables.value])
    }
  }

  @Test func `a core that an exit takes to another space runs with what it knew before`() {
    var core = ModelCore(hasNumbers: false)
    let numbers = SpaceNumbers(isPossible: false, domainCount: 2)
    core.write(numbers.root(ofDomain: 0, tables(0)).keeping)
    _ = core.run()
    core.exit(to: numbers.root(ofDomain: 1, tables(1)))
    #expect(core.run() == [tables(0).value, tables(1).value])
  }

  @Test func `each domain has a number of its own, and the kernel's is 0`() {
    let numbers = SpaceNumbers(isPossible: true, domainCount: 4095)
    let all = Set((0..<4095).map { numbers.root(ofDomain: $0, tables($0)).number })
    #expect(all.count == 4095)
    #expect(!all.contains(0))
    #expect(all.max() == 4095)
  }

  @Test func `more domains than numbers, or a processor without them, and all are 0`() {
    for numbers in [
      SpaceNumbers(isPossible: true, domainCount: 4096), SpaceNumbers(isPossible: false, domainCount: 2),
    ] {
      let root = numbers.root(ofDomain: 1, tables(1))
      #expect(root.value == tables(1).value)
      #expect(root.keeping == root.forgetting)
    }
  }

  @Test func `the number is no part of the address of the tables`() {
    let root = SpaceNumbers(isPossible: true, domainCount: 2).root(ofDomain: 1, tables(1))
    #expect(root.value == tables(1).value + 2)
    #expect(root.tables == tables(1))
    #expect(root.keeping == 1 << 63 | root.value)
    #expect(PagingRoot(value: root.value) == root)
  }
}
