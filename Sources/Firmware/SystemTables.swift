// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The machine's list of ACPI tables, and the way to one of them (ACPI 6.5, §5.2).
///
/// Only fixed tables are read; there is no interpreter for AML.
package struct SystemTables: Sendable {
  /// Bytes of a table that is read; more is refused, so that a bad length ends soon.
  static var tableCapacity: UInt32 { 1 << 20 }
  /// Entries of the list that are looked at.
  static var listCapacity: Int { 256 }
  static var headerSize: Int { 36 }

  /// Where the list is, and how wide its entries are.
  private let list: FoundTable
  private let isWide: Bool

  /// Finds the root pointer, at `rsdp` or where BIOSes leave it, and checks it and the list it points to.
  package init<M: PhysicalMemory & ~Copyable>(
    rsdp: PhysicalAddress?, in memory: borrowing M
  ) throws(ACPIError) {
    let pointer = try Self.pointer(rsdp, in: memory)
    var chosen: (list: FoundTable, isWide: Bool)?
    var reason: ACPIError?
    if let extended = pointer.extended {
      do throws(ACPIError) { chosen = (try Self.check(extended, .xsdt, in: memory), true) } catch { reason = error }
    }
    // The older list only serves where the newer one is not sound.
    if chosen?.list.hasRightSum != true, pointer.basic.value != 0 {
      do throws(ACPIError) {
        let older = try Self.check(pointer.basic, .rsdt, in: memory)
        if chosen == nil || older.hasRightSum { chosen = (older, false) }
      } catch { reason = reason ?? error }
    }
    guard let chosen else { throw reason ?? ACPIError(.root, .badAddress) }
    (list, isWide) = chosen
  }

  /// The table of this signature: the first whose length can be and whose sum is right. Where none is, the first whose
  /// sum alone is wrong: firmware that changes a table and forgets the sum is common, and whoever reads a table checks
  /// all of it anyway. `problem` tells of that.
  package func find<M: PhysicalMemory & ~Copyable>(
    _ signature: TableSignature, in memory: borrowing M
  ) throws(ACPIError) -> PhysicalRange {
    try search(signature, in: memory).range
  }

  /// What is wrong with a table that is used all the same, or that cannot be; `nil` if nothing is, or there is none.
  package func problem<M: PhysicalMemory & ~Copyable>(
    _ signature: TableSignature, in memory: borrowing M
  ) -> ACPIError? {
    do throws(ACPIError) {
      return try search(signature, in: memory).hasRightSum ? nil : ACPIError(signature, .badChecksum)
    } catch {
      return error.reason == .missing ? nil : error
    }
  }

  /// What is wrong with the list itself.
  package var listProblem: ACPIError? {
    list.hasRightSum ? nil : ACPIError(isWide ? .xsdt : .rsdt, .badChecksum)
  }

  private func search<M: PhysicalMemory & ~Copyable>(
    _ signature: TableSignature, in memory: borrowing M
  ) throws(ACPIError) -> FoundTable {
    let width = isWide ? 8 : 4
    let count = min((Int(list.range.size) - Self.headerSize) / width, Self.listCapacity)
    guard let entries = memory.bytes(at: list.range.start, count: list.range.size) else {
      throw ACPIError(isWide ? .xsdt : .rsdt, .unreadable)
    }
    var doubtful: FoundTable?
    var reason: ACPIError?
    for index in 0..<count {
      let offset = Self.headerSize + index * width
      let entry =
        isWide ? entries.load(offset, as: UInt64.self) : entries.load(offset, as: UInt32.self).map { UInt64($0) }
      guard let entry, memory.load(PhysicalAddress(entry), as: UInt32.self) == signature.word else { continue }
      do throws(ACPIError) {
        let table = try Self.check(PhysicalAddress(entry), signature, in: memory)
        if table.hasRightSum { return table }
        doubtful = doubtful ?? table
      } catch { reason = reason ?? error }
    }
    if let doubtful { return doubtful }
    throw reason ?? ACPIError(signature, .missing)
  }

  /// Checks the header of a table, signature and length, and whether all bytes add up to 0 (§5.2.6).
  private static func check<M: PhysicalMemory & ~Copyable>(
    _ address: PhysicalAddress, _ signature: TableSignature, in memory: borrowing M
  ) throws(ACPIError) -> FoundTable {
    guard let header = memory.bytes(at: address, count: UInt64(headerSize)),
      let length = header.load(4, as: UInt32.self)
    else { throw ACPIError(signature, .unreadable) }
    guard header.load(0, as: UInt32.self) == signature.word else { throw ACPIError(signature, .badSignature) }
    guard length >= UInt32(headerSize), length <= tableCapacity else { throw ACPIError(signature, .badLength) }
    guard let table = memory.bytes(at: address, count: UInt64(length)) else { throw ACPIError(signature, .unreadable) }
    return FoundTable(
      range: PhysicalRange(start: address, size: UInt64(length)), hasRightSum: table.addsUpToZero(Int(length)))
  }

  /// The root pointer that the loader named, or if that is none the one that BIOSes leave.
  private static func pointer<M: PhysicalMemory & ~Copyable>(
    _ given: PhysicalAddress?, in memory: borrowing M
  ) throws(ACPIError) -> RootPointer {
    var reason = ACPIError(.root, .missing)
    if let given {
      do throws(ACPIError) { return try RootPointer(at: given, in: memory) } catch { reason = error }
    }
    guard let found = scan(memory) else { throw reason }
    return try RootPointer(at: found, in: memory)
  }

  /// Looks where BIOSes leave the root pointer: the first KiB of the extended BIOS data area, whose segment is at
  /// 0x40E, and 0xE0000 to 0xFFFFF, on multiples of 16 (§5.2.5.1).
  private static func scan<M: PhysicalMemory & ~Copyable>(_ memory: borrowing M) -> PhysicalAddress? {
    if let segment = memory.load(PhysicalAddress(0x40e), as: UInt16.self), segment != 0,
      let found = scan(memory, from: UInt64(segment) << 4, count: 1 * .KiB)
    {
      return found
    }
    return scan(memory, from: 0xe_0000, count: 128 * .KiB)
  }

  private static func scan<M: PhysicalMemory & ~Copyable>(
    _ memory: borrowing M, from start: UInt64, count: UInt64
  ) -> PhysicalAddress? {
    for offset in stride(from: UInt64(0), to: count, by: 16) {
      let address = PhysicalAddress(start + offset)
      if let bytes = memory.bytes(at: address, count: 20), RootPointer.isValid(bytes) { return address }
    }
    return nil
  }
}

/// A table whose header can be.
private struct FoundTable: Sendable {
  let range: PhysicalRange
  let hasRightSum: Bool
}

/// What the root pointer says (§5.2.5.3).
private struct RootPointer {
  /// Where the RSDT is.
  let basic: PhysicalAddress
  /// Where the XSDT is, from revision 2 on.
  let extended: PhysicalAddress?

  /// Whether these 20 bytes are a root pointer.
  static func isValid(_ bytes: RawSpan) -> Bool {
    // "RSD PTR ", and a checksum over the 20 bytes of revision 0.
    bytes.load(0, as: UInt64.self) == 0x2052_5450_2044_5352 && bytes.addsUpToZero(20)
  }

  init<M: PhysicalMemory & ~Copyable>(at address: PhysicalAddress, in memory: borrowing M) throws(ACPIError) {
    guard let bytes = memory.bytes(at: address, count: 20), let revision = bytes.load(15, as: UInt8.self),
      let basic = bytes.load(16, as: UInt32.self)
    else { throw ACPIError(.root, .unreadable) }
    guard bytes.load(0, as: UInt64.self) == 0x2052_5450_2044_5352 else { throw ACPIError(.root, .badSignature) }
    guard bytes.addsUpToZero(20) else { throw ACPIError(.root, .badChecksum) }
    self.basic = PhysicalAddress(UInt64(basic))
    extended = revision >= 2 ? Self.extended(at: address, in: memory) : nil
    guard basic != 0 || extended != nil else { throw ACPIError(.root, .badAddress) }
  }

  /// The XSDT's address, if the part of revision 2 is sound; the RSDT serves where it is not.
  private static func extended<M: PhysicalMemory & ~Copyable>(
    at address: PhysicalAddress, in memory: borrowing M
  ) -> PhysicalAddress? {
    guard let bytes = memory.bytes(at: address, count: 36), let length = bytes.load(20, as: UInt32.self),
      length == 36, bytes.addsUpToZero(36), let extended = bytes.load(24, as: UInt64.self), extended != 0
    else { return nil }
    return PhysicalAddress(extended)
  }
}

extension RawSpan {
  /// Whether the first `count` bytes add up to 0, as ACPI's checksums demand.
  func addsUpToZero(_ count: Int) -> Bool {
    var sum: UInt8 = 0
    for index in 0..<count {
      guard let byte = load(index, as: UInt8.self) else { return false }
      sum &+= byte
    }
    return sum == 0
  }
}
