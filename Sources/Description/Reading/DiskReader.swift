// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

/// Reads the entries of `disks`.
struct DiskReader {
  let files: GuestFiles
  /// Cores of the computer; `nil` if the description leaves them open.
  let cores: Int?
  /// The entries of `vms` and `switches`, whose names no disk may have: all are domains.
  let machines: [Value.Entry]
  let switches: [Value.Entry]
  /// Controllers that have a disk, with its name and line.
  private var controllers: [UInt32: (disk: String, line: Int)] = [:]

  init(files: GuestFiles, cores: Int?, machines: [Value.Entry], switches: [Value.Entry]) {
    self.files = files
    self.cores = cores
    self.machines = machines
    self.switches = switches
  }

  /// The disk of an entry; `nil` if something about it is wrong.
  mutating func read(_ entry: Value.Entry, _ report: inout Report) -> Disk? {
    let name = report.domainName(entry.key, of: "disk", at: entry.place)
    refuseSameName(entry, as: machines, kind: "VM", &report)
    refuseSameName(entry, as: switches, kind: "switch", &report)
    let isMap = report.check(
      entry.value, is: .section(.disk), subject: "\(quoted: entry.key)", example: "sata0: { driver: ahci }",
      keyPlace: entry.place)
    guard isMap else { return nil }
    let fields = report.fields(of: entry.value, as: .disk, owner: "disk \(quoted: entry.key)", at: entry.place)
    let core = fields[.diskCore].map { report.core($0, of: .diskCore, count: cores) } ?? 0
    guard let driver = fields[.driver].flatMap({ report.word($0, of: .driver) }) else { return nil }
    let source = driver == "ahci" ? readController(entry, fields, &report) : readImage(entry, fields, &report)
    guard let name, let core, let source else { return nil }
    return Disk(name: name, core: core, source: source)
  }

  private func refuseSameName(
    _ entry: Value.Entry, as others: [Value.Entry], kind: String, _ report: inout Report
  ) {
    guard let other = others.first(where: { $0.key == entry.key }) else { return }
    report.add(.disk(.sameName(entry.key, kind: kind, line: other.place.line)), at: entry.place)
  }

  private mutating func readController(
    _ entry: Value.Entry, _ fields: Fields, _ report: inout Report
  ) -> DiskSource? {
    if let file = fields[.file] {
      report.add(.disk(.keyOfOtherDriver(key: "file", driver: "ahci", other: "image")), at: file.place)
    }
    let interrupt = fields[.diskInterrupt].map { report.number($0, in: Limits.interrupts, of: .diskInterrupt) }
    if let interrupt, interrupt == nil { return nil }
    guard let value = fields[.pci] else { return .ahci(nil, interrupt: interrupt ?? nil) }
    guard let address = PCIAddress(text: value.text) else {
      report.add(.disk(.badAddress(value.text)), at: value.place)
      return nil
    }
    if let first = controllers[address.rawValue] {
      let problem = DiskProblem.repeatedController(address.text, disk: first.disk, firstLine: first.line)
      report.add(.disk(problem), at: value.place)
    } else {
      controllers[address.rawValue] = (entry.key, value.place.line)
    }
    return .ahci(address, interrupt: interrupt ?? nil)
  }

  private func readImage(_ entry: Value.Entry, _ fields: Fields, _ report: inout Report) -> DiskSource? {
    for key in [Key.pci, .diskInterrupt] {
      guard let value = fields[key] else { continue }
      report.add(.disk(.keyOfOtherDriver(key: key.name, driver: "image", other: "ahci")), at: value.place)
    }
    guard let file = fields[.file] else {
      report.add(.disk(.noFile(entry.key)), at: entry.place)
      return nil
    }
    return files.image(file, &report).map { .image(path: $0) }
  }
}
