// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import CX86
import Firmware
import Virtualisation
import X86

/// Page tables of four levels: of the kernel, of a protection domain, or of a guest (nested paging has the same form, but
/// for the entries where Intel's are their own).
///
/// Tables come from boot memory and are never given back. Those of the kernel and of domains are not changed after boot;
/// guests' are, as they move their devices' registers.
struct AddressSpace {
  /// The top table, for CR3, nCR3 or the EPT pointer.
  let root: PhysicalAddress
  private let form: EntryForm
  private let use: OwnMemory.Use

  /// The space of the kernel or of a domain.
  init(_ memory: inout BootMemory) throws(BootError) {
    form = .processor
    use = .tables
    root = try memory.bytes(4096, for: use)
  }

  /// A guest's.
  init(_ memory: inout BootMemory, form: EntryForm) throws(BootError) {
    self.form = form
    use = .changing
    root = try memory.page()
  }

  /// The space that has its top table at `root`.
  init(root: PhysicalAddress) {
    self.root = root
    form = .processor
    use = .changing
  }

  /// The entry of a page, present and with `flags`.
  func page(_ physical: PhysicalAddress, _ flags: PageTableEntry, size: PageSize = .small) -> PageTableEntry {
    form.page(physical, flags, size)
  }

  /// Maps `[physical, physical + size)` at `address`, in the largest pages that fit.
  ///
  /// - Precondition: addresses and size are multiples of 4096, and nothing is mapped there yet.
  func map(
    _ address: UInt64, to physical: PhysicalAddress, size: UInt64, _ flags: PageTableEntry, largest: PageSize = .large,
    from memory: inout BootMemory
  ) throws(BootError) {
    var done: UInt64 = 0
    while done < size {
      let page = Self.pageSize(at: address &+ done, physical.value &+ done, left: size - done, largest: largest)
      let entry = try entry(of: address &+ done, level: page.level, from: &memory)
      entry.value = form.page(physical + done, flags, page)
      done += page.bytes
    }
  }

  /// Takes over what `other` maps in the slot of its top table that holds `address`.
  func share(_ address: UInt64, of other: AddressSpace) {
    let slot = Int(address.bits(39, count: 9))
    Self.entry(root, slot).value = Self.entry(other.root, slot).value
  }

  /// Where `address` leads, if `flags` are set for it at every level, and `marks` for its page.
  func translate(
    _ address: UInt64, requiring flags: PageTableEntry, ofPage marks: PageTableEntry = .none
  ) -> PhysicalAddress? {
    guard address < 1 << 47 else { return nil }
    var table = root
    for level in stride(from: 3, through: 0, by: -1) {
      let entry = Self.entry(table, Int(address.bits(12 + 9 * level, count: 9))).value
      guard entry.contains(.present | flags) else { return nil }
      if level == 0 || entry.contains(.large) {
        guard entry.contains(marks) else { return nil }
        let size = UInt64(1) << UInt64(12 + 9 * level)
        return PhysicalAddress(entry.address.value.roundedDown(to: size) | address & (size - 1))
      }
      table = entry.address
    }
    return nil
  }

  /// Makes what tables a page of 2 MiB at `address` needs.
  func makeTables(for address: UInt64, from memory: inout BootMemory) throws(BootError) {
    _ = try entry(of: address, level: PageSize.large.level, from: &memory)
  }

  /// Has large pages no longer be writable; what was remembered of them is still to be forgotten.
  func protect(_ address: UInt64, size: UInt64, from memory: inout BootMemory) throws(BootError) {
    for offset in stride(from: 0, to: size, by: Int(PageSize.large.bytes)) {
      try entry(of: address + offset, level: PageSize.large.level, from: &memory).value.set(.writable, to: false)
    }
  }

  /// Calls `body` with each page of the space.
  func each(_ body: (MappedPage) -> Void) {
    TableWalk.each(under: root, read: { KernelTables().read($0) }, body)
  }

  /// Takes away whatever is in the whole GiBs of `addresses`, all below one entry of the top table.
  func clear(_ addresses: Range<UInt64>) {
    let top = Self.entry(root, Int(addresses.lowerBound.bits(39, count: 9))).value
    guard top.contains(.present) else { return }
    for address in stride(from: addresses.lowerBound, to: addresses.upperBound, by: Int(UInt64.GiB)) {
      Self.entry(top.address, Int(address.bits(30, count: 9))).value = .none
    }
  }

  /// The entry for the 4 KiB page at `address`, its tables made if they are missing.
  func smallEntry(of address: UInt64, from memory: inout BootMemory) throws(BootError) -> Cell<PageTableEntry> {
    try entry(of: address, level: 0, from: &memory)
  }

  /// The part of a guest's addresses for the registers of its devices, still without tables of its own.
  func deviceWindow(from memory: inout BootMemory) throws(BootError) -> DeviceWindow<KernelTables> {
    let first = try entry(of: PassedDevice.window.lowerBound, level: 1, from: &memory).physicalAddress
    let nowhere = PhysicalAddress(0)
    return DeviceWindow(
      KernelTables(), directory: PhysicalAddress(first.value.roundedDown(to: 4096)),
      WindowFlags(
        table: form.table(nowhere).rawValue,
        page: page(nowhere, .writable | .user | .noExecute | .uncached).rawValue))
  }

  private func entry(
    of address: UInt64, level: Int, from memory: inout BootMemory
  ) throws(BootError) -> Cell<PageTableEntry> {
    var table = root
    for above in stride(from: 3, to: level, by: -1) {
      let entry = Self.entry(table, Int(address.bits(12 + 9 * above, count: 9)))
      if !entry.value.contains(.present) {
        entry.value = form.table(try memory.bytes(4096, for: use))
      } else if entry.value.contains(.large) {
        throw .refused("two things are to be at one place of an address space")
      }
      table = entry.value.address
    }
    return Self.entry(table, Int(address.bits(12 + 9 * level, count: 9)))
  }

  fileprivate static func entry(_ table: PhysicalAddress, _ index: Int) -> Cell<PageTableEntry> {
    // SAFETY: a table is a page of 512 entries from boot memory, and the index has nine bits.
    unsafe Cell(
      unsafePointer: DirectMap.pointer(table + UInt64(index & 511) * 8).assumingMemoryBound(to: PageTableEntry.self))
  }

  private static func pageSize(at address: UInt64, _ physical: UInt64, left: UInt64, largest: PageSize) -> PageSize {
    let both = address | physical
    if largest == .huge, both.isAligned(to: PageSize.huge.bytes), left >= PageSize.huge.bytes { return .huge }
    if largest != .small, both.isAligned(to: PageSize.large.bytes), left >= PageSize.large.bytes { return .large }
    return .small
  }
}

/// Tables where the kernel finds them.
struct KernelTables: TableMemory {
  func read(_ address: PhysicalAddress) -> UInt64 { word(address).value.rawValue }

  func write(_ value: UInt64, at address: PhysicalAddress) {
    word(address).value = PageTableEntry(rawValue: value)
  }

  private func word(_ address: PhysicalAddress) -> Cell<PageTableEntry> {
    AddressSpace.entry(PhysicalAddress(address.value.roundedDown(to: 4096)), Int(address.value.bits(3, count: 9)))
  }
}

/// What entries look like: as the processor's own, which AMD's nested paging shares, or as Intel's extended ones. Both say
/// in bits 0 and 7 whether there is a page, and whether it is a large one.
enum EntryForm {
  case processor, extended

  fileprivate func page(_ physical: PhysicalAddress, _ flags: PageTableEntry, _ size: PageSize) -> PageTableEntry {
    switch self {
    case .processor: PageTableEntry(physical, flags | .present | (size == .small ? .none : .large))
    case .extended:
      PageTableEntry(
        rawValue: EPTEntry(
          page: physical.value, isWritable: flags.contains(.writable), isExecutable: !flags.contains(.noExecute),
          isUncached: flags.contains(.uncached), isLarge: size != .small
        ).rawValue)
    }
  }

  fileprivate func table(_ physical: PhysicalAddress) -> PageTableEntry {
    switch self {
    case .processor: PageTableEntry(physical, .present | .writable | .user)
    case .extended: PageTableEntry(rawValue: EPTEntry(table: physical.value).rawValue)
    }
  }
}

/// The sizes of a page.
enum PageSize {
  case small, large, huge

  var level: Int {
    switch self {
    case .small: 0
    case .large: 1
    case .huge: 2
    }
  }

  var bytes: UInt64 { 4096 << UInt64(9 * level) }
}
