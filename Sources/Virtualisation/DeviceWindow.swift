// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
package import Bits

/// Memory that holds page tables.
package protocol TableMemory {
  /// The word at `address`, in a page that holds a table.
  func read(_ address: PhysicalAddress) -> UInt64
  /// Stores a word in a page that holds a table.
  func write(_ value: UInt64, at address: PhysicalAddress)
}

/// The nested page tables of `PassedDevice.window`, where a guest puts the registers of its PCI devices.
///
/// A guest moves them as it likes, at a time when no memory is dealt out any more. So there are a few tables, which are
/// lent: one to each piece of 2 MiB in which a page is shown, and to no other. A range of registers touches at most
/// `pieces(touchedBy:)` of them wherever it is; with as many tables as all ranges together can touch, one is always left.
///
/// A table that is not lent holds zeros, but for its first word: where the next such table is, which no processor takes
/// for an entry, since the bits that would make it one are zero. Whoever hides or shows pages makes the guest's processor
/// forget its translations before the guest runs again: a table may be lent again at once.
package struct DeviceWindow<Memory: TableMemory> {
  private let memory: Memory
  /// The table of the GiB that the window is in: an entry for each piece.
  private let directory: PhysicalAddress
  private let flags: WindowFlags
  /// The first table that is not lent.
  private var spare: PhysicalAddress?
  private var tableCount = 0

  /// - Parameter directory: A table in which no entry of the window is in use.
  package init(_ memory: Memory, directory: PhysicalAddress, _ flags: WindowFlags) {
    self.memory = memory
    self.directory = directory
    self.flags = flags
  }

  // MARK: - At boot

  /// Tables to add so that `size` more bytes of registers can be shown anywhere.
  package func missingTables(forRegisters size: UInt64) -> Int {
    min(DeviceRegisterPages.pieces(touchedBy: size), DeviceRegisterPages.pieceCount - tableCount)
  }

  /// Adds a table: a page of zeros.
  package mutating func add(_ table: PhysicalAddress) {
    tableCount += 1
    putBack(table)
  }

  // MARK: - Pages

  /// Shows the guest a device's pages from `address` on, in place of what was there.
  /// - Precondition: They fit into the window there, and are shown nowhere else.
  package mutating func show(_ pages: DeviceRegisterPages, at address: UInt64) {
    for offset in stride(from: 0, to: pages.size, by: 4096) where !pages.isHidden(offset) {
      let place = place(of: address + offset)
      // There always is one; were there none, the guest would find nothing here.
      guard let table = table(at: place) ?? lend(to: place) else { return }
      memory.write((pages.start + offset).value | flags.page, at: Self.entry(of: address + offset, in: table))
    }
  }

  /// Takes back what `show` showed at `address`, as far as nothing else is there by now.
  package mutating func hide(_ pages: DeviceRegisterPages, at address: UInt64) {
    for offset in stride(from: 0, to: pages.size, by: 4096) {
      let place = place(of: address + offset)
      guard let table = table(at: place) else { continue }
      let entry = Self.entry(of: address + offset, in: table)
      // The processor may have noted in the entry that the page was used.
      if PageTableWord.address(memory.read(entry)) == pages.start + offset { memory.write(0, at: entry) }
      let isLast = (address + offset + 4096).isAligned(to: PageTableWord.pieceSize) || offset + 4096 >= pages.size
      if isLast, isEmpty(table) {
        memory.write(0, at: place)
        putBack(table)
      }
    }
  }

  // MARK: - Tables

  /// Where the directory has the entry of the piece around `address`.
  private func place(of address: UInt64) -> PhysicalAddress { directory + address.bits(21, count: 9) * 8 }

  private static func entry(of address: UInt64, in table: PhysicalAddress) -> PhysicalAddress {
    table + address.bits(12, count: 9) * 8
  }

  private func table(at place: PhysicalAddress) -> PhysicalAddress? {
    let word = memory.read(place)
    return word == 0 ? nil : PageTableWord.address(word)
  }

  private mutating func lend(to place: PhysicalAddress) -> PhysicalAddress? {
    guard let table = spare else { return nil }
    let next = memory.read(table)
    spare = next == 0 ? nil : PhysicalAddress(next)
    memory.write(0, at: table)
    memory.write(table.value | flags.table, at: place)
    return table
  }

  private mutating func putBack(_ table: PhysicalAddress) {
    memory.write(spare?.value ?? 0, at: table)
    spare = table
  }

  private func isEmpty(_ table: PhysicalAddress) -> Bool {
    for index in 0..<UInt64(512) where memory.read(table + index * 8) != 0 { return false }
    return true
  }
}

/// What entries have beside an address, for tables and for pages of device registers: Intel's differ from AMD's.
package struct WindowFlags {
  let table: UInt64
  let page: UInt64

  package init(table: UInt64, page: UInt64) {
    self.table = table
    self.page = page
  }
}

/// The pages of one range of a device's registers.
package struct DeviceRegisterPages {
  let start: PhysicalAddress
  let size: UInt64
  /// The offsets in it that the guest must not have.
  private let hidden: Range<UInt64>?

  /// - Precondition: `start` begins a page, and `size` is a number of whole pages.
  package init(start: PhysicalAddress, size: UInt64, hidden: Range<UInt64>?) {
    self.start = start
    self.size = size
    self.hidden = hidden
  }

  func isHidden(_ offset: UInt64) -> Bool { hidden?.contains(offset) == true }

  /// The pieces of the window.
  static var pieceCount: Int {
    Int((PassedDevice.window.upperBound - PassedDevice.window.lowerBound) / PageTableWord.pieceSize)
  }

  /// The most pieces that `size` bytes touch wherever they begin a page; none if the window has no room for them.
  static func pieces(touchedBy size: UInt64) -> Int {
    guard size > 0, size <= PassedDevice.window.upperBound - PassedDevice.window.lowerBound else { return 0 }
    // The worst place is the last page of a piece.
    return 1 + Int((size - 4096 + PageTableWord.pieceSize - 1) / PageTableWord.pieceSize)
  }
}

private enum PageTableWord {
  /// Bytes that the pages of a table have together.
  static var pieceSize: UInt64 { 2 * .MiB }

  /// Where the page or the table of an entry is.
  static func address(_ word: UInt64) -> PhysicalAddress { PhysicalAddress(word & 0x000F_FFFF_FFFF_F000) }
}
