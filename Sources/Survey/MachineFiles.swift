// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What Linux says of a machine: files of /proc and /sys by their paths, without the slash in front.
///
/// Nothing about them is taken on trust: a saved machine comes from somebody else.
package struct MachineFiles: Sendable {
  /// Bytes of a file that are looked at; a longer one is cut.
  package static let sizeLimit = 1 << 20
  /// Files of a machine; those beyond are left out.
  package static let countLimit = 1 << 16

  /// What is looked at. A star stands for all of one name, or for its end.
  package static let patterns = [
    "proc/cpuinfo", "proc/meminfo", "proc/cmdline",
    "sys/devices/system/cpu/vulnerabilities/*",
    "sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name", "sys/class/dmi/id/bios_version",
    "sys/firmware/acpi/tables/APIC", "sys/firmware/acpi/tables/DMAR", "sys/firmware/acpi/tables/IVRS",
    "sys/firmware/acpi/tables/MCFG", "sys/firmware/acpi/tables/HPET", "sys/firmware/acpi/tables/SPCR",
    "sys/bus/pci/devices/*/config", "sys/bus/pci/devices/*/irq",
    "sys/kernel/iommu_groups/*/devices/*",
    "sys/kernel/irq/*/hwirq", "sys/kernel/irq/*/chip_name",
    "sys/class/tty/ttyS*/port", "sys/class/tty/ttyS*/type", "sys/class/tty/ttyS*/irq",
  ]

  private var files: [String: [UInt8]] = [:]

  package init() {}

  /// The paths there are, sorted.
  package var paths: [String] { files.keys.sorted() }

  package subscript(path: String) -> [UInt8]? {
    get { files[path] }
    set {
      guard files[path] != nil || files.count < Self.countLimit else { return }
      files[path] = newValue.map { Array($0.prefix(Self.sizeLimit)) }
    }
  }

  /// The text of a file, without white space at its ends; `nil` if it is not there.
  func text(_ path: String) -> String? {
    guard let bytes = files[path] else { return nil }
    let trimmed = bytes.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed()
    return String(decoding: Array(trimmed), as: UTF8.self)
  }

  /// The whole number, decimal or after 0x hexadecimal, that a file holds.
  func number(_ path: String) -> UInt64? {
    guard let text = text(path) else { return nil }
    return text.hasPrefix("0x") || text.hasPrefix("0X") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
  }

  /// The names in a folder, sorted.
  func names(in folder: String) -> [String] {
    let prefix = folder + "/"
    let names = files.keys.compactMap { path -> String? in
      guard path.hasPrefix(prefix) else { return nil }
      return path.dropFirst(prefix.count).split(separator: "/").first.map(String.init)
    }
    return Set(names).sorted()
  }
}

extension String {
  /// What can stand in a line that people read: printable ASCII, at most 60 of it.
  var printable: String {
    String(decoding: utf8.prefix(60).map { (0x20...0x7e).contains($0) ? $0 : 0x3f }, as: UTF8.self)
  }

  /// A line of the kernel's or firmware's words.
  init(_ line: LogLine) {
    self.init(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
  }
}
