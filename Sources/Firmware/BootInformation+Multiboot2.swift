// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

// Multiboot2: the loader enters with the address of tags in ebx (multiboot2 specification, §3.6): the size of all in
// the first word, tags from byte 8, each with its type and size in front and on a multiple of 8.

extension BootInformation {
  /// What the loader leaves in eax.
  package static var multiboot2Magic: UInt32 { 0x36d7_6289 }
  /// More than any loader hands over.
  static var multiboot2Capacity: UInt32 { 256 << 10 }

  /// Reads what a multiboot2 loader left at `address`.
  package init<M: PhysicalMemory & ~Copyable>(
    multiboot2 address: PhysicalAddress, in memory: borrowing M
  ) throws(BootInformationError) {
    self.init()
    guard let size = memory.load(address, as: UInt32.self) else { throw .unreadable }
    guard size >= 16, size <= Self.multiboot2Capacity else { throw .badSize }
    guard let bytes = memory.bytes(at: address, count: UInt64(size)) else { throw .unreadable }

    var maps = MapTags()
    var modules = 0
    var offset = 8
    // Each round moves on by at least 8 bytes, so the walk ends.
    while let tag = try Multiboot2Tag(at: offset, in: bytes) {
      switch tag.type {
      case 1: addCommandLine(start: address + UInt64(offset + 8), limit: UInt64(tag.size - 8), in: memory)
      case 3:
        try addModule(tag, in: bytes, index: modules)
        modules += 1
      case 6: maps.plain = tag
      case 8: screen = Self.screen(tag, in: bytes)
      // The system table, its handles, and what is said of boot services: only UEFI has them.
      case 11, 12, 19, 20: isStartedByUEFI = true
      case 14: if rsdp == nil { rsdp = address + UInt64(offset + 8) }
      case 15: rsdp = address + UInt64(offset + 8)
      case 17:
        maps.efi = tag
        isStartedByUEFI = true
      case 18:
        maps.bootServicesRun = true
        isStartedByUEFI = true
      default: break
      }
      offset = tag.next
    }
    try addMap(maps, in: bytes)
    memoryMap.reserve(start: address, size: UInt64(size))
  }

  private mutating func addModule(
    _ tag: Multiboot2Tag, in bytes: RawSpan, index: Int
  ) throws(BootInformationError) {
    guard tag.size >= 16, let start = bytes.load(tag.offset + 8, as: UInt32.self),
      let end = bytes.load(tag.offset + 12, as: UInt32.self), start < end
    else { throw .badModule }
    try addModule(start: UInt64(start), size: UInt64(end - start), index: index)
  }

  /// §3.6.12: address at 8, columns at 20, rows at 24, and at 29 the kind, of which 2 is text.
  private static func screen(_ tag: Multiboot2Tag, in bytes: RawSpan) -> LoaderScreen {
    guard tag.size >= 30, bytes.load(tag.offset + 29, as: UInt8.self) == 2,
      let address = bytes.load(tag.offset + 8, as: UInt64.self),
      let columns = bytes.load(tag.offset + 20, as: UInt32.self),
      let rows = bytes.load(tag.offset + 24, as: UInt32.self),
      let text = TextScreen(at: PhysicalAddress(address), columns: Int(columns), rows: Int(rows))
    else { return .graphics }
    return .text(text)
  }

  private mutating func addMap(_ maps: MapTags, in bytes: RawSpan) throws(BootInformationError) {
    guard let tag = maps.plain ?? maps.efi else { throw .noMemoryMap }
    let isEFI = maps.plain == nil
    guard tag.size >= 16, let stride = bytes.load(tag.offset + 8, as: UInt32.self),
      stride >= (isEFI ? 40 : 24), stride <= 4096
    else { throw .badMemoryMap }
    let count = (tag.size - 16) / Int(stride)
    guard count <= Int(Self.entryCapacity) else { throw .badMemoryMap }
    for index in 0..<count {
      guard let entry = bytes.slice(tag.offset + 16 + index * Int(stride), count: Int(stride)) else {
        throw .badMemoryMap
      }
      if isEFI { addEFI(entry, bootServicesRun: maps.bootServicesRun) } else { add(entry) }
    }
  }

  /// Takes an EFI memory descriptor (UEFI 2.10, §7.2.3): type, address, virtual address, pages, attributes.
  private mutating func addEFI(_ entry: RawSpan, bootServicesRun: Bool) {
    guard let type = entry.load(0, as: UInt32.self), let start = entry.load(8, as: UInt64.self),
      let pages = entry.load(24, as: UInt64.self)
    else { return }
    let (size, overflow) = pages.multipliedReportingOverflow(by: 4096)
    let kind: MemoryKind =
      switch type {
      case 1, 2, 7: .usable  // loader code and data, conventional memory
      case 3, 4: bootServicesRun ? .reserved : .usable  // boot services: free once they have ended
      case 9, 10: .acpi
      case 0, 5, 6, 8, 11, 12, 13: .reserved
      default: .other
      }
    memoryMap.add(start: PhysicalAddress(start), size: overflow ? .max : size, kind: kind)
  }
}

/// The tags that hold a memory map.
private struct MapTags {
  var plain: Multiboot2Tag?
  var efi: Multiboot2Tag?
  var bootServicesRun = false
}

/// A tag that lies inside the information, header and all.
private struct Multiboot2Tag {
  let offset: Int
  let type: UInt32
  let size: Int

  /// `nil` at the end tag.
  init?(at offset: Int, in bytes: RawSpan) throws(BootInformationError) {
    guard let type = bytes.load(offset, as: UInt32.self), let size = bytes.load(offset + 4, as: UInt32.self),
      size >= 8, bytes.byteCount - offset >= Int(size)
    else { throw .badTag }
    if type == 0 { return nil }
    self.offset = offset
    self.type = type
    self.size = Int(size)
  }

  /// Where the next tag begins.
  var next: Int { (offset + size + 7) & ~7 }
}
