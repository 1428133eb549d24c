// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Collects the tables and files of a boot image and writes them down.
struct ImageBuilder {
  private let name: ShortName
  private var files: [(name: String, bytes: [UInt8])] = []
  /// Regions of files that were mapped, by file.
  private var fileRegions: [UInt32: UInt32] = [:]
  private var domains: [DomainRecord] = []
  private var regions: [RegionRecord] = []
  private var mappings: [MappingRecord] = []
  private var guestMappings: [GuestMappingRecord] = []
  private var channels: [ChannelRecord] = []
  private var ports: [PortRecord] = []
  private var interrupts: [InterruptRecord] = []
  private var devices: [DeviceRecord] = []

  init(name: ShortName) { self.name = name }

  /// Adds a file of its own.
  mutating func add(file name: String, _ bytes: [UInt8]) -> UInt32 {
    files.append((name, bytes))
    return UInt32(files.count - 1)
  }

  /// Adds a file, unless the same bytes are there as the same kind.
  /// - Parameter kind: What the file is; it is called this and a number.
  mutating func addShared(file kind: String, _ bytes: [UInt8]) -> UInt32 {
    let same = files.indices.filter { files[$0].name.hasPrefix(kind + ".") }
    if let index = same.first(where: { files[$0].bytes == bytes }) { return UInt32(index) }
    return add(file: "\(kind).\(same.count)", bytes)
  }

  mutating func add(_ domain: DomainRecord) -> UInt32 {
    domains.append(domain)
    return UInt32(domains.count - 1)
  }

  mutating func add(_ kind: RegionKind, size: UInt64) -> UInt32 {
    regions.append(RegionRecord(kind: kind, size: size))
    return UInt32(regions.count - 1)
  }

  /// Maps a file, read-only; its last page ends in zeros.
  mutating func map(file: UInt32, into domain: UInt32, at address: UInt64) {
    if fileRegions[file] == nil {
      let size = UInt64(files[Int(file)].bytes.count + 4095) & ~4095
      regions.append(RegionRecord(kind: .file, file: file, size: size))
      fileRegions[file] = UInt32(regions.count - 1)
    }
    if let region = fileRegions[file] { map(region, into: domain, at: address, isWritable: false) }
  }

  mutating func map(_ region: UInt32, into domain: UInt32, at address: UInt64, isWritable: Bool) {
    mappings.append(MappingRecord(domain: domain, region: region, address: address, isWritable: isWritable))
  }

  mutating func add(_ mapping: GuestMappingRecord) { guestMappings.append(mapping) }
  mutating func add(_ channel: ChannelRecord) { channels.append(channel) }
  mutating func add(_ port: PortRecord) { ports.append(port) }
  mutating func add(_ interrupt: InterruptRecord) { interrupts.append(interrupt) }
  mutating func add(_ device: DeviceRecord) { devices.append(device) }
}

// MARK: - Writing

extension ImageBuilder {
  private static let page = 4096

  /// The image; the same for the same contents.
  func bytes() throws(PackingError) -> [UInt8] {
    try checkLimits()
    // The files come after the tables, whose size does not depend on where the files are.
    let start = tables(filesFrom: 0).size.rounded(to: Self.page)
    let size = files.reduce(start) { $0 + $1.bytes.count.rounded(to: Self.page) }
    var image = tables(filesFrom: start).bytes(name: name, imageSize: size)
    image.reserveCapacity(size)
    for file in files {
      image.pad(to: Self.page)
      image += file.bytes
    }
    image.pad(to: Self.page)
    return image
  }

  /// All tables, for files that lie one after another from `start`.
  private func tables(filesFrom start: Int) -> Tables {
    var offset = start
    let fileRecords = files.map { file in
      defer { offset += file.bytes.count.rounded(to: Self.page) }
      return FileRecord(name: ShortName(text: file.name), offset: UInt64(offset), size: UInt64(file.bytes.count))
    }
    var tables = Tables()
    tables.add(fileRecords, as: .files)
    tables.add(domains, as: .domains)
    tables.add(regions, as: .regions)
    tables.add(mappings, as: .mappings)
    tables.add(guestMappings, as: .guestMappings)
    tables.add(channels, as: .channels)
    tables.add(ports, as: .ports)
    tables.add(interrupts, as: .interrupts)
    tables.add(devices, as: .devices)
    return tables
  }

  private func checkLimits() throws(PackingError) {
    let counts = [
      ("files", files.count, BootLimits.files), ("domains", domains.count, BootLimits.domains),
      ("regions", regions.count, BootLimits.regions), ("mappings", mappings.count, BootLimits.mappings),
      ("guest mappings", guestMappings.count, BootLimits.guestMappings),
      ("channels", channels.count, BootLimits.channels), ("ports", ports.count, BootLimits.ports),
      ("interrupts", interrupts.count, BootLimits.interrupts), ("devices", devices.count, BootLimits.devices),
    ]
    for (table, count, limit) in counts where count > limit { throw .tooMany(table, limit: limit) }
  }
}

/// The part of an image before its files.
private struct Tables {
  private var header = BootHeader()
  private var contents: [UInt8] = []

  /// Bytes of header and tables.
  var size: Int { MemoryLayout<BootHeader>.size + contents.count }

  /// Adds a table, aligned as its records may need.
  mutating func add<Record: BitwiseCopyable>(_ records: [Record], as table: BootTable) {
    contents.pad(to: 8)
    header.tables[table.rawValue] = TableExtent(offset: UInt64(size), count: UInt64(records.count))
    for record in records { contents.append(record: record) }
  }

  func bytes(name: ShortName, imageSize: Int) -> [UInt8] {
    var header = header
    header.name = name
    header.size = UInt64(imageSize)
    var bytes: [UInt8] = []
    bytes.append(record: header)
    return bytes + contents
  }
}

extension Int {
  fileprivate func rounded(to alignment: Int) -> Int { (self + alignment - 1) & ~(alignment - 1) }
}
