// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import TestSupport
import Testing

@testable import Virtualisation

/// Where guests have the registers of their devices, with tables that are lent.
struct DeviceWindowTests {
  static let start = PassedDevice.window.lowerBound
  static let piece: UInt64 = 2 * .MiB

  @Test func `a range touches as many pieces as it does at the worst place`() {
    for pages in UInt64(1)...1600 {
      let worst = (UInt64(0)..<512).map { ($0 + pages - 1) / 512 + 1 }.max()
      #expect(DeviceRegisterPages.pieces(touchedBy: pages * 4096) == worst.map(Int.init))
    }
    #expect(DeviceRegisterPages.pieces(touchedBy: 0) == 0)
    #expect(DeviceRegisterPages.pieces(touchedBy: 4 * .GiB) == 0)
  }

  @Test func `the window lies in one GiB and is made of whole pieces`() {
    let window = PassedDevice.window
    #expect(window.lowerBound / .GiB == (window.upperBound - 1) / .GiB)
    #expect(window.lowerBound.isAligned(to: Self.piece) && window.upperBound.isAligned(to: Self.piece))
  }

  @Test func `a guest finds the registers where it has them, but not the table of messages`() {
    var guest = Bench(ranges: [3], hidden: [0x1000..<0x2000])
    guest.move(0, to: Self.start + Self.piece - 4096)

    #expect(
      guest.pages == [
        Self.start + Self.piece - 4096: guest.physical(0), Self.start + Self.piece + 4096: guest.physical(0) + 8192,
      ])
    guest.move(0, to: nil)
    #expect(guest.pages.isEmpty)
  }

  @Test func `registers leave their place although the guest used them there`() {
    var guest = Bench(ranges: [4])
    guest.move(0, to: Self.start)
    guest.memory.markAll()
    guest.move(0, to: Self.start + 8 * Self.piece)

    #expect(guest.pages.keys.allSatisfy { $0 >= Self.start + 8 * Self.piece })
    #expect(guest.lent == 1)
  }

  @Test func `what lies above other registers leaves those that are still there alone`() {
    var guest = Bench(ranges: [1, 1])
    guest.move(0, to: Self.start)
    guest.move(1, to: Self.start)
    guest.move(0, to: nil)

    #expect(guest.pages == [Self.start: guest.physical(1)])
  }

  @Test func `no VM needs more tables than the window has pieces`() {
    let guest = Bench(ranges: [131_072, 131_072, 131_072])

    #expect(guest.tableCount == DeviceRegisterPages.pieceCount)
  }

  @Test func `a guest that moves registers about for ever always finds them, and nothing else`() {
    var random = SplitMix64(seed: 7)
    for _ in 0..<fuzzRounds(4) {
      let sizes = (0..<Int.random(in: 1...24, using: &random)).map { _ in
        Bool.random(using: &random) ? UInt64.random(in: 1...8, using: &random) : .random(in: 1...1100, using: &random)
      }
      var guest = Bench(ranges: sizes)
      for _ in 0..<150 {
        let range = Int.random(in: 0..<sizes.count, using: &random)
        guest.move(range, to: Self.place(pages: sizes[range], &random))
        if Bool.random(using: &random) { guest.memory.markAll() }
        #expect(guest.pages == guest.expected)
        #expect(guest.lent == Set(guest.expected.keys.map { $0 / Self.piece }).count)
      }
      for range in sizes.indices { guest.move(range, to: nil) }
      #expect(guest.pages.isEmpty && guest.lent == 0)
    }
  }

  /// Anywhere, often among others, at the borders of pieces, or nowhere.
  private static func place(pages: UInt64, _ random: inout SplitMix64) -> UInt64? {
    let last = PassedDevice.window.upperBound - pages * 4096
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return nil
    case 1: return start
    case 2: return last
    case 3: return start + .random(in: 0..<16, using: &random) * 4096
    case 4: return min(last, start + .random(in: 1..<500, using: &random) * piece - 4096)
    default: return .random(in: start...last, using: &random).roundedDown(to: 4096)
    }
  }
}

/// A guest with ranges of registers, and what it must find where.
private struct Bench {
  let memory = ModelTables()
  private(set) var expected: [UInt64: UInt64] = [:]
  private(set) var tableCount = 0
  private var window: DeviceWindow<ModelTables>
  private let ranges: [DeviceRegisterPages]
  private var places: [UInt64?]

  /// - Parameter ranges: Their pages.
  init(ranges: [UInt64], hidden: [Range<UInt64>?] = []) {
    window = DeviceWindow(
      memory, directory: PhysicalAddress(ModelTables.directory),
      WindowFlags(table: ModelTables.tableFlags, page: ModelTables.pageFlags))
    places = Array(repeating: nil, count: ranges.count)
    self.ranges = ranges.enumerated().map { index, pages in
      DeviceRegisterPages(
        start: PhysicalAddress(Self.physical(index)), size: pages * 4096,
        hidden: index < hidden.count ? hidden[index] : nil)
    }
    for range in self.ranges {
      for _ in 0..<window.missingTables(forRegisters: range.size) {
        tableCount += 1
        window.add(PhysicalAddress(ModelTables.directory + UInt64(tableCount) * 4096))
      }
    }
  }

  static func physical(_ range: Int) -> UInt64 { 0x10_0000_0000 * UInt64(range + 1) }
  func physical(_ range: Int) -> UInt64 { Self.physical(range) }

  mutating func move(_ range: Int, to address: UInt64?) {
    let pages = ranges[range]
    for offset in stride(from: 0, to: pages.size, by: 4096) {
      guard let old = places[range], expected[old + offset] == physical(range) + offset else { continue }
      expected[old + offset] = nil
    }
    if let old = places[range] { window.hide(pages, at: old) }
    places[range] = address
    guard let address else { return }
    window.show(pages, at: address)
    for offset in stride(from: 0, to: pages.size, by: 4096) where !pages.isHidden(offset) {
      expected[address + offset] = physical(range) + offset
    }
  }

  /// What a processor finds in the window.
  var pages: [UInt64: UInt64] { memory.pages }
  /// The pieces that have a table.
  var lent: Int { memory.tables.count }
}

/// Memory of page tables, and a processor that follows them.
private final class ModelTables: TableMemory {
  static let directory: UInt64 = 0x20_0000
  static let tableFlags: UInt64 = 0b111
  static let pageFlags: UInt64 = 1 << 63 | 0b1_1111
  /// What a processor sets in entries that it used: that it did, and that it wrote there.
  private static let marks: UInt64 = 0b110_0000
  private static let addresses: UInt64 = 0x000F_FFFF_FFFF_F000

  private var words = [UInt64](repeating: 0, count: 512 * (1 + DeviceRegisterPages.pieceCount))

  func read(_ address: PhysicalAddress) -> UInt64 { words[Self.index(address.value)] }
  func write(_ value: UInt64, at address: PhysicalAddress) { words[Self.index(address.value)] = value }

  private static func index(_ address: UInt64) -> Int {
    precondition(address.isAligned(to: 8))
    return Int((address - directory) / 8)
  }

  /// The tables, by the indices of their entries in the directory.
  var tables: [(index: Int, table: UInt64)] {
    (0..<512).filter { words[$0] & 1 == 1 }.map { ($0, words[$0] & Self.addresses) }
  }

  var pages: [UInt64: UInt64] {
    var pages: [UInt64: UInt64] = [:]
    for (piece, table) in tables {
      for entry in 0..<512 {
        let word = words[Self.index(table) + entry]
        guard word & 1 == 1 else { continue }
        #expect(word & ~Self.addresses & ~Self.marks == Self.pageFlags)
        pages[DeviceWindowTests.start + (UInt64(piece) * 512 + UInt64(entry)) * 4096] = word & Self.addresses
      }
    }
    return pages
  }

  /// The guest uses all that it finds.
  func markAll() {
    for (piece, table) in tables {
      words[piece] |= Self.marks & 0b10_0000
      for entry in Self.index(table)..<Self.index(table) + 512 where words[entry] & 1 == 1 {
        words[entry] |= Self.marks
      }
    }
  }
}
