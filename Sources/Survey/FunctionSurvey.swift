// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A PCI function, as its configuration space and Linux's files say.
struct FunctionSurvey: Sendable {
  enum Kind: Sendable {
    case ahci, nvme, network, bridge, other
  }

  let address: FunctionAddress
  let vendor: UInt16
  let device: UInt16
  /// Class, subclass and interface, 8 bits each.
  let code: UInt32
  /// 1 to 4 for INTA to INTD, 0 for none.
  let pin: UInt8
  /// The bus behind a bridge and the last one there.
  let buses: ClosedRange<UInt8>?
  /// Linux's number of its interrupt; 0 for none.
  let irq: UInt64
  /// Linux's group of functions that an IOMMU cannot tell apart.
  var group: Int?

  /// Reads a function; `nil` if the name or the content is not one's.
  init?(_ name: String, _ files: MachineFiles) {
    let folder = "sys/bus/pci/devices/\(name)"
    guard let address = FunctionAddress(text: name), let bytes = files["\(folder)/config"] else { return nil }
    // SAFETY: any bits are bytes.
    let span = unsafe bytes.span.bytes
    // A type 0 or type 1 header (PCI Express 6.0, §7.5.1).
    guard span.byteCount >= 64, let vendor = span.load(0, as: UInt16.self), vendor != 0xffff,
      let device = span.load(2, as: UInt16.self), let code = span.load(8, as: UInt32.self),
      let type = span.load(14, as: UInt8.self), let pin = span.load(0x3d, as: UInt8.self),
      let secondary = span.load(0x19, as: UInt8.self), let last = span.load(0x1a, as: UInt8.self)
    else { return nil }
    self.address = address
    self.vendor = vendor
    self.device = device
    self.code = code >> 8
    self.pin = pin <= 4 ? pin : 0
    buses = type & 0x7f == 1 && secondary > 0 && secondary <= last ? secondary...last : nil
    irq = files.number("\(folder)/irq") ?? 0
  }

  var kind: Kind {
    switch code {
    case 0x010601: .ahci
    case 0x010802: .nvme
    default: code >> 16 == 2 ? .network : code >> 8 == 0x0604 ? .bridge : .other
    }
  }

  /// The address as descriptions have it.
  var text: String { String("\(address)" as LogLine) }

  /// Vendor and device as `lspci -n` shows them.
  var identity: String {
    [vendor, device].map { number in
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: 4 - digits.count) + digits
    }.joined(separator: ":")
  }
}

extension FunctionAddress {
  /// The address that Linux writes as `0000:66:00.0`.
  init?(text: String) {
    let parts = text.split(whereSeparator: { $0 == ":" || $0 == "." }).map(String.init)
    guard parts.count == 4, parts.map(\.utf8.count) == [4, 2, 2, 1], let segment = UInt16(parts[0], radix: 16),
      let bus = UInt8(parts[1], radix: 16), let device = UInt8(parts[2], radix: 16), device < 32,
      let function = UInt8(parts[3], radix: 8)
    else { return nil }
    self.init(segment: segment, bus: bus, device: device, function: function)
  }

  /// For sorting.
  var order: UInt32 { UInt32(segment) << 16 | UInt32(requester) }
}
