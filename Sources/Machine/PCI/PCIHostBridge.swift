// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
package import PCI

/// One function's place, and a register of it, as the guest named them in the address port.
package struct PCIRegister: Equatable, Sendable {
  package let bus: UInt8
  /// 0 to 31.
  package let device: UInt8
  /// 0 to 7.
  package let function: UInt8
  /// The byte in configuration space.
  package let offset: UInt8

  /// What the address port holds, with the byte inside the dword from the data port's address.
  init(address: UInt32, port: UInt16) {
    bus = UInt8(truncatingIfNeeded: address >> 16)
    device = UInt8(address.bits(11, count: 5))
    function = UInt8(address.bits(8, count: 3))
    offset = UInt8(truncatingIfNeeded: address & 0xfc) | UInt8(port & 3)
  }

  /// Whether this is the host bridge itself.
  package var isHostBridge: Bool { bus == 0 && device == 0 && function == 0 }
}

/// The way to PCI configuration space through two I/O ports, "mechanism #1" (PCI Local Bus 3.0, §3.2.2.3.2), and the
/// function at 00:00.0 that stands for it.
///
/// It knows no other function. An access to the data port becomes a `PCIRegister` (`target`); whoever owns the
/// functions of bus 0 asks the one at that place and answers with `absent` where there is none.
package struct PCIHostBridge: Sendable {
  /// What the data port reads where no function is: all ones.
  package static func absent(width: Int) -> UInt32 { width >= 4 ? .max : (1 << UInt32(width * 8)) &- 1 }

  /// The identity of 00:00.0.
  ///
  /// Linux wants some host bridge on bus 0 before it trusts mechanism #1, and has quirks for the bridges of real PCs:
  /// 8086:1237, which other hypervisors show, makes it warn about the 440FX's direct transfers. No quirk and no
  /// driver is bound to 8086:0d57.
  package static var identity: PCIIdentity { PCIIdentity(vendor: 0x8086, device: 0x0d57, classCode: 0x06_0000) }

  /// The bridge's own function.
  package private(set) var configuration = PCIConfigurationSpace(PCIHostBridge.identity)
  private var address: UInt32 = 0

  package init() {}

  /// Whether an access of `width` bytes at `port` is for configuration space.
  ///
  /// Only a dword at 0xCF8 is the address port; other widths there pass on as plain I/O, as 0xCF9 (reset) needs.
  package static func claims(_ port: UInt16, width: Int) -> Bool {
    (port == 0xcf8 && width == 4) || (port & 0xfffc == 0xcfc && Int(port & 3) + width <= 4)
  }

  /// What the guest wrote to the address port.
  package func readAddress() -> UInt32 { address }

  /// Bits 1 and 0 are always zero, bits 30-24 are reserved.
  package mutating func writeAddress(_ value: UInt32) { address = value & 0x80ff_fffc }

  /// The register that an access to the data port means; `nil` while the address port's enable bit is clear.
  package func target(of port: UInt16) -> PCIRegister? {
    guard address >> 31 == 1 else { return nil }
    return PCIRegister(address: address, port: port)
  }

  /// Writes the bridge's own configuration space.
  package mutating func write(_ value: UInt32, at offset: UInt8, width: Int) {
    configuration.write(value, at: offset, width: width)
  }
}
