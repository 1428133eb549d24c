// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits

/// Collects the tables and files of a boot image and writes them down.
struct ImageBuilder {
  private let name: ShortName
  private let onPanic: OnPanic
  private let threads: ThreadPolicy
  private var files: [File] = []
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

  /// A file, and which part of the image it is in.
  private struct File {
    var name: String
    var bytes: [UInt8]
    var isMaterial: Bool
  }

  /// Bytes from which on what a guest boots is material: what is smaller is made for one VM.
  static let leastMaterial = 64 << 10

  init(name: ShortName, onPanic: OnPanic, threads: ThreadPolicy) {
    self.name = name
    self.onPanic = onPanic
    self.threads = threads
  }

  /// Adds a file of its own.
  mutating func add(file name: String, _ bytes: [UInt8], isMaterial: Bool = false) -> UInt32 {
    files.append(File(name: name, bytes: bytes, isMaterial: isMaterial))
    return UInt32(files.count - 1)
  }

  /// Adds a file, unless the same bytes are there as the same kind.
  /// - Parameter kind: What the file is; it is called this and a number.
  mutating func addShared(file kind: String, _ bytes: [UInt8]) -> UInt32 {
    let same = files.indices.filter { files[$0].name.hasPrefix(kind + ".") }
    if let index = same.first(where: { files[$0].bytes == bytes }) { return UInt32(index) }
    return add(file: "\(kind).\(same.count)", bytes, isMaterial: bytes.count >= Self.leastMaterial)
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
  func image() throws(PackingError) -> PackedImage {
    try checkLimits()
    // The files come after the tables, whose size does not depend on where the files are.
    let start = tables(at: files.map { _ in 0 }).size.rounded(to: Self.page)
    var system: [UInt8] = []
    var offsets = files.map { _ in 0 }
    for (index, file) in files.enumerated() where !file.isMaterial {
      offsets[index] = start + system.count
      system += file.bytes
      system.pad(to: Self.page)
    }
    let systemSize = start + system.count
    let (material, mark) = material(from: systemSize, &offsets)
    var head = tables(at: offsets).bytes(
      name: name, onPanic: onPanic, threads: threads, systemSize: systemSize, imageSize: systemSize + material.count,
      mark: mark)
    head.pad(to: Self.page)
    return PackedImage(system: head + system, material: material)
  }

  /// The material: its files in an order that depends on their contents alone, so that systems with the same files have
  /// the same material.
  private func material(from start: Int, _ offsets: inout [Int]) -> (bytes: [UInt8], mark: UInt64) {
    let marks = files.map { $0.isMaterial ? $0.bytes.fingerprint : 0 }
    let order = files.indices.filter { files[$0].isMaterial }.sorted { (marks[$0], $0) < (marks[$1], $1) }
    guard !order.isEmpty else { return ([], 0) }
    var bytes: [UInt8] = []
    for index in order {
      bytes.append(record: marks[index])
    }
    let mark = bytes.fingerprint
    bytes = []
    bytes.append(record: MaterialHeader(mark: mark))
    for index in order {
      bytes.pad(to: Self.page)
      offsets[index] = start + bytes.count
      bytes += files[index].bytes
    }
    bytes.pad(to: Self.page)
    return (bytes, mark)
  }

  /// All tables, for files that begin at these places.
  private func tables(at offsets: [Int]) -> Tables {
    let fileRecords = zip(files, offsets).map { file, offset in
      FileRecord(name: ShortName(text: file.name), offset: UInt64(offset), size: UInt64(file.bytes.count))
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

  func bytes(
    name: ShortName, onPanic: OnPanic, threads: ThreadPolicy, systemSize: Int, imageSize: Int, mark: UInt64
  ) -> [UInt8] {
    var header = header
    header.name = name
    header.onPanic = onPanic.rawValue
    header.size = UInt64(imageSize)
    header.systemSize = UInt64(systemSize)
    header.material = mark
    header.threads = threads.rawValue
    var bytes: [UInt8] = []
    bytes.append(record: header)
    return bytes + contents
  }
}

extension Int {
  fileprivate func rounded(to alignment: Int) -> Int { (self + alignment - 1) & ~(alignment - 1) }
}
