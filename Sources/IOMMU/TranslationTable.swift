// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What devices of a domain may do with a range.
package enum DMARights: Sendable {
  case read
  case readWrite
}

/// The page tables of one domain: from the addresses that devices use to those of memory.
///
/// Both makers' have nine bits a level and pages of 4 KiB, 2 MiB and 1 GiB; an entry's bits are `TableForm`'s.
struct TranslationTable: Sendable {
  let root: PhysicalAddress
  let form: TableForm

  init<H: RemappingHost & ~Copyable>(_ form: TableForm, _ host: inout H) throws(IOMMUError) {
    self.form = form
    root = try Self.newTable(form, &host)
  }

  /// Maps `[physical, physical + size)` at `address`, in the largest pages that fit.
  ///
  /// What was mapped when an error is thrown stays so.
  func map<H: RemappingHost & ~Copyable>(
    _ address: UInt64, to physical: PhysicalAddress, size: UInt64, _ rights: DMARights, _ host: inout H
  ) throws(IOMMUError) {
    guard size > 0, (address | physical.value | size).isAligned(to: 4096), fits(address, count: size, in: form.limit),
      fits(physical.value, count: size, in: form.physicalLimit)
    else { throw .badRange }
    guard !form.isReserved(address, size) else { throw .reservedRange }
    var done: UInt64 = 0
    while done < size {
      let level = level(at: (address + done) | (physical.value + done), left: size - done)
      let place = try place(of: address + done, level, &host)
      guard host.read(place) == 0 else { throw .alreadyMapped }
      store(form.page(physical + done, level, rights), at: place, host)
      done += 4096 << UInt64(9 * level)
    }
  }

  private func level(at place: UInt64, left: UInt64) -> Int {
    var level = form.largestLevel
    while level > 0 {
      let size: UInt64 = 4096 << UInt64(9 * level)
      if place.isAligned(to: size), left >= size { break }
      level -= 1
    }
    return level
  }

  /// Where the entry for `address` in a table of this level is, its tables made if they are missing.
  private func place<H: RemappingHost & ~Copyable>(
    of address: UInt64, _ level: Int, _ host: inout H
  ) throws(IOMMUError) -> PhysicalAddress {
    var table = root
    for above in stride(from: form.levels - 1, to: level, by: -1) {
      let place = Self.entry(of: address, above, in: table)
      let entry = host.read(place)
      if entry == 0 {
        table = try Self.newTable(form, &host)
        store(form.table(table, above), at: place, host)
      } else {
        guard let next = form.next(entry, above) else { throw .alreadyMapped }
        table = next
      }
    }
    return Self.entry(of: address, level, in: table)
  }

  private static func entry(of address: UInt64, _ level: Int, in table: PhysicalAddress) -> PhysicalAddress {
    table + address.bits(12 + 9 * level, count: 9) * 8
  }

  private func store<H: RemappingHost & ~Copyable>(_ entry: UInt64, at place: PhysicalAddress, _ host: borrowing H) {
    host.write(entry, at: place)
    if !form.isCoherent { host.flush(place, count: 8) }
  }

  private static func newTable<H: RemappingHost & ~Copyable>(
    _ form: TableForm, _ host: inout H
  ) throws(IOMMUError) -> PhysicalAddress {
    let table = try host.pages()
    if !form.isCoherent { host.flush(table, count: 4096) }
    return table
  }
}
