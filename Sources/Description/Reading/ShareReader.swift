// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

/// Reads the disks of the VMs one after another, and deals the system's disks out to them.
struct ShareReader {
  /// The disks of the system, as written, and which of them are image files.
  private let disks: [(name: String, isImage: Bool)]
  /// What is dealt out of each disk, to whom, and the line.
  private var dealt: [[(part: DiskPart, isReadOnly: Bool, owner: String, line: Int)]]

  init(disks: Value?) {
    self.disks = (disks?.entries ?? []).map { entry in
      (entry.key, entry.value.entries.contains { $0.key == Key.driver.name && $0.value.text == "image" })
    }
    dealt = self.disks.map { _ in [] }
  }

  /// The disks of a VM; one that is wrong is reported and left out.
  mutating func read(_ value: Value, of machine: String, _ report: inout Report) -> [DiskShare] {
    let elements = value.elements
    if elements.count > Limits.shares {
      report.add(.disk(.tooManyShares(machine: machine, count: elements.count)), at: elements[Limits.shares].place)
    }
    return elements.enumerated().compactMap { read($1, number: $0, of: machine, &report) }
  }

  private mutating func read(
    _ value: Value, number: Int, of machine: String, _ report: inout Report
  ) -> DiskShare? {
    let isMap = report.check(
      value, is: .section(.share), subject: "an entry of 'disks'", example: Key.shares.example, keyPlace: value.place)
    guard isMap else { return nil }
    let owner = "\(Self.name(number)) of VM \(quoted: machine)"
    let fields = report.fields(of: value, as: .share, owner: owner, at: value.place)
    let disk = fields[.shareDisk].flatMap { find($0, &report) }
    let part = readPart(fields, &report)
    let readOnly = fields[.readOnly].map { report.word($0, of: .readOnly) }
    let optional = fields[.optional].map { report.word($0, of: .optional) } ?? "false"
    let queues = fields[.queues].map { report.number($0, in: Limits.queues, of: .queues) } ?? 1
    let rate = fields[.diskRate].map { readRate($0, &report) }
    let serial = fields[.serial].map { readSerial($0, &report) } ?? String(disk.map { disks[$0].name } ?? "").prefix20
    guard let disk, let part, let optional, let queues, let serial else { return nil }
    if disks[disk].isImage, readOnly == "false", let place = fields[.readOnly]?.place {
      report.add(.disk(.writableImage(disks[disk].name)), at: place)
    }
    let isReadOnly = disks[disk].isImage || readOnly == "true"
    let place = fields.placeOfPart ?? value.place
    claim(part, of: disk, isReadOnly: isReadOnly, owner: owner, at: place, &report)
    return DiskShare(
      disk: disk, part: part, isReadOnly: isReadOnly, isOptional: optional == "true", queues: queues,
      rate: rate ?? nil, serial: serial)
  }

  /// What Linux calls disk `number` of a VM.
  static func name(_ number: Int) -> String { "vd" + String(UnicodeScalar(UInt8(97 + number % 26))) }

  private func find(_ value: Value, _ report: inout Report) -> Int? {
    let names = disks.map(\.name)
    guard let index = names.firstIndex(of: value.text) else {
      let near = nearest(to: value.text, in: names)
      report.add(.disk(.unknownDisk(value.text, nearest: near, known: names)), at: value.place)
      return nil
    }
    return index
  }

  /// Notes what is dealt out; refuses what is somebody else's already, as far as that can be told by now.
  private mutating func claim(
    _ part: DiskPart, of disk: Int, isReadOnly: Bool, owner: String, at place: Place, _ report: inout Report
  ) {
    let other = dealt[disk].first { other in
      !(isReadOnly && other.isReadOnly) && (other.part == part || other.part == .whole || part == .whole)
    }
    if let other {
      let words = other.part.words(of: disks[disk].name)
      report.add(.disk(.taken(part: words, owner: other.owner, firstLine: other.line)), at: place)
    }
    dealt[disk].append((part, isReadOnly, owner, place.line))
    if dealt[disk].count == Limits.clients + 1 {
      report.add(.disk(.tooManyClients(disks[disk].name)), at: place)
    }
  }

  // MARK: - Values

  private func readPart(_ fields: Fields, _ report: inout Report) -> DiskPart? {
    let given = [Key.partition, .partitionName, .partitionUUID].filter { fields[$0] != nil }
    if given.count > 1, let place = fields[given[1]]?.place {
      report.add(.disk(.severalParts(first: given[0].name, second: given[1].name)), at: place)
      return nil
    }
    guard let key = given.first, let value = fields[key] else { return .whole }
    switch key {
    case .partition: return report.number(value, in: Limits.partitions, of: .partition).map { .number($0) }
    case .partitionName:
      guard (1...36).contains(value.text.utf16.count) else {
        report.add(.disk(.longPartitionName(value.text)), at: value.place)
        return nil
      }
      return .name(value.text)
    default:
      guard report.matches(value.text, key.form) else {
        report.add(.disk(.badIdentifier(value.text)), at: value.place)
        return nil
      }
      return .uuid(value.text.lowercased())
    }
  }

  /// Bytes per second.
  private func readRate(_ value: Value, _ report: inout Report) -> UInt64? {
    guard report.matches(value.text, Key.diskRate.form), let digits = value.text.prefixMatch(of: /[0-9]+/),
      let count = UInt64(digits.output)
    else {
      report.add(.disk(.badRate(value.text)), at: value.place)
      return nil
    }
    let units: [(name: String, bytes: UInt64)] = [("GB/s", 1_000_000_000), ("MB/s", 1_000_000), ("kB/s", 1000)]
    let rate = count * (units.first { value.text.hasSuffix($0.name) }?.bytes ?? 1)
    guard Limits.diskRate.contains(rate) else {
      report.add(.disk(.rateOutOfRange(value.text)), at: value.place)
      return nil
    }
    return rate
  }

  private func readSerial(_ value: Value, _ report: inout Report) -> String? {
    guard (1...Limits.serial).contains(value.text.count), report.matches(value.text, Key.serial.form) else {
      report.add(.disk(.badSerial(value.text)), at: value.place)
      return nil
    }
    return value.text
  }
}

extension Fields {
  /// Where the part of a disk is named.
  fileprivate var placeOfPart: Place? {
    [Key.partition, .partitionName, .partitionUUID].lazy.compactMap { self[$0]?.place }.first
  }
}

extension DiskPart {
  /// As in "partition 1 of 'sata0'".
  fileprivate func words(of disk: String) -> String {
    switch self {
    case .whole: "the whole of \(quoted: disk)"
    case .number(let number): "partition \(number) of \(quoted: disk)"
    case .name(let name): "partition \(quoted: name) of \(quoted: disk)"
    case .uuid(let uuid): "partition \(uuid) of \(quoted: disk)"
    }
  }
}

extension String {
  /// As much of a name as a serial number has room for.
  fileprivate var prefix20: String { String(prefix(Limits.serial)) }
}
