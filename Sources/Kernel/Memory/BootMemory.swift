// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import CX86
import Firmware
import X86

/// Why the machine cannot be set up: the sentence, and the number that belongs to it.
enum BootError: Error {
  case outOfMemory(wanted: UInt64, largest: UInt64)
  case refused(StaticString)
  /// A domain's guest memory does not fit.
  case forDomain(ShortName, wanted: UInt64, largest: UInt64)
  /// A sentence with names or numbers in it.
  case line(LogLine)
}

/// Memory as it is dealt out at boot; nothing of it is ever given back.
///
/// What `page`, `bytes`, `table` and `cell` deal out, and that alone, the direct map holds from then on; guests' memory is
/// taken from `map`.
struct BootMemory {
  private var own: OwnMemory
  /// Bytes dealt out for the kernel's and the components' own use.
  private(set) var used: UInt64 = 0
  /// The kernel's own tables, once there are any.
  private var space: AddressSpace?
  /// The pieces with tables, read-only once boot is over.
  private var tables = FixedList<32, PhysicalRange>()
  private var isSealed = false
  /// Pieces that were begun before there were any.
  private var early = FixedList<8, PhysicalRange>()
  /// The kernel's registers of devices, once it has tables of its own.
  private(set) var devices: DeviceMap?

  /// Until the kernel has tables of its own it reaches 4 GiB, and the other cores start there.
  init(_ map: MemoryMap) {
    own = OwnMemory(map)
    own.limit = PhysicalAddress(4 * .GiB)
  }

  /// All the machine's memory that is free.
  var map: MemoryMap {
    get { own.map }
    set { own.map = newValue }
  }

  /// From now on memory for the kernel may be wherever its direct map reaches.
  mutating func reachAll() { own.limit = OwnMemory.end }

  /// A page of zeros.
  mutating func page() throws(BootError) -> PhysicalAddress { try bytes(4096) }

  /// `size` zero bytes, contiguous, on a border of `alignment`; those for tables can be written until `seal`.
  mutating func bytes(
    _ size: UInt64, alignment: UInt64 = 4096, for use: OwnMemory.Use = .changing
  ) throws(BootError) -> PhysicalAddress {
    guard use == .changing || !isSealed else { throw .refused("there are no more tables after boot") }
    guard let taken = own.take(size: size, alignment: alignment, for: use) else {
      throw .outOfMemory(wanted: size, largest: map.largestFree(alignment: OwnMemory.pieceSize))
    }
    if let piece = taken.piece {
      try show(piece)
      if use == .tables { try tables.append(piece, orSay: "page tables need too much memory") }
    }
    let address = taken.address
    let rounded = size.roundedUp(to: 4096) ?? size
    used += rounded
    // SAFETY: the range was just dealt out, so it is memory that nobody else uses, and the direct map holds it.
    unsafe DirectMap.pointer(address).initializeMemory(as: UInt64.self, repeating: 0, count: Int(rounded / 8))
    return address
  }

  /// Has the direct map of `space`, which has tables for all that it may come to hold, show what was dealt out up to now
  /// and whatever will be.
  mutating func use(_ space: AddressSpace) throws(BootError) {
    self.space = space
    for index in 0..<early.count { try show(early[index]) }
    devices = try DeviceMap(space, from: &self)
  }

  private mutating func show(_ piece: PhysicalRange) throws(BootError) {
    guard let space else {
      return try early.append(piece, orSay: "the kernel's first tables need too much memory")
    }
    try space.map(
      DirectMap.base + piece.start.value, to: piece.start, size: piece.size, .writable | .noExecute, from: &self)
  }

  /// Makes page tables and descriptor tables read-only, once and for all. On boot.S's page tables: those that are changed
  /// are among them. Other cores have to forget their translations.
  mutating func seal() throws(BootError) {
    guard let space else { return }
    isSealed = true
    MachineMemory.useBootTables()
    for index in 0..<tables.count {
      try space.protect(DirectMap.base + tables[index].start.value, size: tables[index].size, from: &self)
    }
    cx86_write_cr3(space.root.value)
  }

  /// Whether any of a range is of the tables that `seal` made read-only.
  func isTable(_ range: PhysicalRange) -> Bool {
    for index in 0..<tables.count where tables[index].overlaps(range) { return true }
    return false
  }

  /// A table of `count` elements, each made by `element`.
  mutating func table<Element: ~Copyable>(
    _ count: Int, _ element: (Int) throws(BootError) -> Element
  ) throws(BootError) -> Table<Element> {
    try Self.table(count, in: &self) { index, _ throws(BootError) in try element(index) }
  }

  /// A table of `count` elements, each made by `element`, which takes memory of its own.
  static func table<Element: ~Copyable>(
    _ count: Int, in memory: inout BootMemory, _ element: (Int, inout BootMemory) throws(BootError) -> Element
  ) throws(BootError) -> Table<Element> {
    let address = try memory.bytes(UInt64(max(count, 1) * MemoryLayout<Element>.stride))
    // SAFETY: a page border suits every alignment, and the range holds `count` elements.
    let base = unsafe DirectMap.pointer(address).bindMemory(to: Element.self, capacity: count)
    for index in 0..<count { unsafe (base + index).initialize(to: try element(index, &memory)) }
    return unsafe Table(unsafeBase: base, count: count)
  }

  /// A value in pages of its own.
  mutating func cell<Value>(_ value: Value) throws(BootError) -> Cell<Value> {
    try table(1) { _ throws(BootError) in value }.cell(0)
  }

  /// The `Value` of its own in the zeroed memory at `address`.
  static func cell<Value: BitwiseCopyable>(_ value: Value, at address: PhysicalAddress) -> Cell<Value> {
    // SAFETY: the caller dealt this memory out for the value, on a border that suits it.
    let pointer = unsafe DirectMap.pointer(address).bindMemory(to: Value.self, capacity: 1)
    unsafe pointer.initialize(to: value)
    return unsafe Cell(unsafePointer: pointer)
  }
}

extension BootMemory {
  /// The `Value` that lies at `address` already, in memory dealt out for it.
  static func place<Value: BitwiseCopyable>(at address: PhysicalAddress) -> Cell<Value> {
    // SAFETY: as in `cell`; all zeros is a value of every type used here.
    unsafe Cell(unsafePointer: DirectMap.pointer(address).assumingMemoryBound(to: Value.self))
  }
}
