// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
package import Bits

/// A boot image that was checked: every record of it can be used as it is.
///
/// Nothing in the image is taken on trust; the checks are in `BootImage+Records.swift` and `BootImage+Rights.swift`.
/// - Invariant: the tables lie inside `bytes` and no byte changes while this value lives.
package struct BootImage: ~Escapable {
  /// Where a component's program may end: below its stack and the unmapped page under that.
  package static var programEnd: UInt64 { AddressMap.stackTop - AddressMap.stackSize - 4096 }

  private let system: RawSpan
  private let material: RawSpan
  private let header: BootHeader

  /// Checks the whole image.
  /// - Parameters:
  ///   - bytes: The system, with its material behind it unless that is somewhere else.
  ///   - apart: The material, if it is; not looked at if `bytes` has all.
  @_lifetime(copy bytes, copy apart)
  package init(_ bytes: RawSpan, material apart: RawSpan = RawSpan()) throws(BootImageError) {
    guard bytes.byteCount >= MemoryLayout<BootHeader>.size else {
      throw BootImageError(nil, 0, "is longer than the image")
    }
    // SAFETY: the span holds a whole header, checked above, and every bit pattern is one.
    header = unsafe bytes.unsafeLoadUnaligned(as: BootHeader.self)
    system = bytes
    material = header.size > UInt64(bytes.byteCount) ? apart : Self.rest(of: bytes, from: header.systemSize)
    try checkHeader()
    try checkMaterial()
    try checkFiles()
    try checkDomains()
    try checkRegions()
    try checkMappings()
    try checkGuestMappings()
    try checkGuestMemory()
    try checkChannels()
    try checkPorts()
    try checkInterrupts()
    try checkDevices()
  }

  /// The system's name.
  package var name: ShortName { header.name }

  /// What happens when the kernel cannot go on.
  package var onPanic: OnPanic { OnPanic(rawValue: header.onPanic) ?? .stop }
  /// What becomes of VMs whose cores are threads of others' cores.
  package var threads: ThreadPolicy { ThreadPolicy(rawValue: header.threads) ?? .refuse }

  /// Bytes of both parts; what was handed over may be longer.
  package var size: UInt64 { header.size }

  /// Bytes of the system; what the image counts from there on is in the material.
  package var systemSize: UInt64 { header.systemSize }

  /// Records in a table.
  package func count(_ table: BootTable) -> Int { Int(header.tables[table.rawValue].count) }

  private func checkHeader() throws(BootImageError) {
    guard header.magic == BootHeader.magic else { throw BootImageError(nil, 0, "does not begin with ROOSTIMG") }
    guard header.version == BootHeader.version else { throw BootImageError(nil, 0, "is of another version") }
    guard header.size >= UInt64(MemoryLayout<BootHeader>.size),
      header.systemSize >= UInt64(MemoryLayout<BootHeader>.size), header.systemSize <= header.size,
      header.systemSize <= UInt64(system.byteCount)
    else { throw BootImageError(nil, 0, "says another size than was loaded") }
    guard header.name.isPrintable else { throw BootImageError(nil, 0, "holds a name that is not printable") }
    guard OnPanic(rawValue: header.onPanic) != nil else {
      throw BootImageError(nil, 0, "wants something unknown of a panic")
    }
    for index in 0..<BootTable.count {
      guard let table = BootTable(rawValue: index) else { continue }
      let extent = header.tables[index]
      guard extent.count <= UInt64(table.limit) else {
        throw BootImageError(table, table.limit, "is one more than there may be")
      }
      guard fits(extent.offset, count: extent.count * UInt64(table.stride), in: header.systemSize) else {
        throw BootImageError(table, 0, "begins a table that does not lie inside the image")
      }
    }
  }

  /// The record `index` of a table.
  /// - Precondition: `index` is below the table's count and `T` is its type.
  private func record<T: BitwiseCopyable>(_ table: BootTable, _ index: Int, as type: T.Type) -> T {
    precondition(index >= 0 && index < count(table) && MemoryLayout<T>.stride == table.stride)
    let offset = Int(header.tables[table.rawValue].offset) + index * table.stride
    // SAFETY: the table lies inside the image (`checkHeader`), the record inside the table; records are made of
    // integers alone, so every bit pattern is one.
    return unsafe system.unsafeLoadUnaligned(fromByteOffset: offset, as: T.self)
  }

  /// The material is whole, and the one that the system was made for.
  private func checkMaterial() throws(BootImageError) {
    let size = header.size - header.systemSize
    guard size > 0 else { return }
    guard header.systemSize.isAligned(to: 4096) else {
      throw BootImageError(nil, 0, "has a part that is not whole pages")
    }
    guard material.byteCount > 0 else { throw BootImageError(nil, 0, "comes without its material: load that too") }
    guard material.load(0, as: UInt64.self) == MaterialHeader.magic,
      material.load(8, as: UInt64.self) == header.material
    else { throw BootImageError(nil, 0, "belongs to other material: copy both again") }
    guard size <= UInt64(material.byteCount) else { throw BootImageError(nil, 0, "says another size than was loaded") }
  }

  /// What lies behind the first `count` bytes; nothing if there are not so many.
  @_lifetime(copy bytes)
  private static func rest(of bytes: RawSpan, from count: UInt64) -> RawSpan {
    count <= UInt64(bytes.byteCount) ? bytes.extracting(Int(count)..<bytes.byteCount) : RawSpan()
  }
}

// MARK: - Records

extension BootImage {
  package func file(_ index: Int) -> FileRecord { record(.files, index, as: FileRecord.self) }
  package func domain(_ index: Int) -> DomainRecord { record(.domains, index, as: DomainRecord.self) }
  package func region(_ index: Int) -> RegionRecord { record(.regions, index, as: RegionRecord.self) }
  package func mapping(_ index: Int) -> MappingRecord { record(.mappings, index, as: MappingRecord.self) }
  package func guestMapping(_ index: Int) -> GuestMappingRecord {
    record(.guestMappings, index, as: GuestMappingRecord.self)
  }
  package func channel(_ index: Int) -> ChannelRecord { record(.channels, index, as: ChannelRecord.self) }
  package func ports(_ index: Int) -> PortRecord { record(.ports, index, as: PortRecord.self) }
  package func interrupt(_ index: Int) -> InterruptRecord { record(.interrupts, index, as: InterruptRecord.self) }
  package func device(_ index: Int) -> DeviceRecord { record(.devices, index, as: DeviceRecord.self) }

  /// The contents of file `index`.
  @_lifetime(copy self)
  package func contents(ofFile index: Int) -> RawSpan {
    let file = file(index)
    guard file.offset >= systemSize else {
      return system.extracting(Int(file.offset)..<Int(file.offset + file.size))
    }
    let start = file.offset - systemSize
    return material.extracting(Int(start)..<Int(start + file.size))
  }

  /// The kind of region `index`.
  package func kind(ofRegion index: Int) -> RegionKind {
    guard let kind = RegionKind(rawValue: region(index).kind) else { preconditionFailure("checked at the start") }
    return kind
  }
}

extension ShortName {
  /// Whether the name is made of printable ASCII alone.
  var isPrintable: Bool {
    for index in 0..<count where !(0x20...0x7e).contains(bytes[index]) { return false }
    return true
  }
}
