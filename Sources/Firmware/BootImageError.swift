// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
package import Bits

/// Which rule a boot image breaks, and where.
package struct BootImageError: Error, Sendable {
  /// `nil` for the header.
  package let table: BootTable?
  /// The record's index in its table; 0 for a rule about a whole table.
  package let record: Int
  /// The rule that is broken, as the end of a sentence that begins with the record.
  package let rule: StaticString

  init(_ table: BootTable?, _ record: Int, _ rule: StaticString) {
    self.table = table
    self.record = record
    self.rule = rule
  }

  /// The sentence that people read.
  package var line: LogLine {
    guard let table else { return "boot image: the header \(rule)" }
    return "boot image: \(table.noun) \(record) \(rule)"
  }
}

extension BootTable {
  /// What a record of the table is, for people.
  package var noun: StaticString {
    switch self {
    case .files: "file"
    case .domains: "domain"
    case .regions: "region"
    case .mappings: "mapping"
    case .guestMappings: "guest mapping"
    case .channels: "channel"
    case .ports: "port range"
    case .interrupts: "interrupt"
    case .devices: "device"
    }
  }

  /// Bytes of a record.
  var stride: Int {
    switch self {
    case .files: MemoryLayout<FileRecord>.stride
    case .domains: MemoryLayout<DomainRecord>.stride
    case .regions: MemoryLayout<RegionRecord>.stride
    case .mappings: MemoryLayout<MappingRecord>.stride
    case .guestMappings: MemoryLayout<GuestMappingRecord>.stride
    case .channels: MemoryLayout<ChannelRecord>.stride
    case .ports: MemoryLayout<PortRecord>.stride
    case .interrupts: MemoryLayout<InterruptRecord>.stride
    case .devices: MemoryLayout<DeviceRecord>.stride
    }
  }

  /// The most records there may be.
  var limit: Int {
    switch self {
    case .files: BootLimits.files
    case .domains: BootLimits.domains
    case .regions: BootLimits.regions
    case .mappings: BootLimits.mappings
    case .guestMappings: BootLimits.guestMappings
    case .channels: BootLimits.channels
    case .ports: BootLimits.ports
    case .interrupts: BootLimits.interrupts
    case .devices: BootLimits.devices
    }
  }
}
