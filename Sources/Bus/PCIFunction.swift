// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import PCI

/// The buses behind a bridge: its own, and the last of those behind that.
package struct BridgeBuses: Equatable, Sendable {
  package var secondary: UInt8
  package var subordinate: UInt8

  /// Whether `bus` lies behind the bridge; a bridge that was never set up has 0, and nothing behind it.
  package func contains(_ bus: UInt8) -> Bool { secondary != 0 && secondary <= bus && bus <= subordinate }
}

/// A PCI function as the scan found it.
package struct PCIFunction: Sendable {
  package var address: FunctionAddress
  package var identity: PCIIdentity
  /// Whether the device has more functions than this one.
  package var isMultifunction = false
  /// What its header looks like: 0, or 1 for a bridge.
  private var headerType: UInt8 = 0
  /// What lies behind it, if it is a bridge (header type 1).
  package var bridge: BridgeBuses?
  /// What it passes on, if it is a bridge.
  package var windows = BridgeWindows()
  /// Its ranges by their registers; of a bridge, of a host's or an ISA bus's bridge and of headers of other types none
  /// is looked for, but for the two of a bridge.
  package var ranges: InlineArray<6, BaseAddress> = InlineArray(repeating: BaseAddress())
  package var rom = BaseAddress()
  package var capabilities = Capabilities()
  /// 1 for INTA to 4 for INTD; 0 if it uses none.
  package var interruptPin: UInt8 = 0
  /// What firmware noted as the interrupt's number; 255 if it noted nothing.
  package var interruptLine: UInt8 = 0
  /// Functions with the same number share an IOMMU group: the index of one of them, once `assignGroups` has run.
  package var group = 0

  /// A place to be filled.
  package init() {
    address = FunctionAddress(requester: 0)
    identity = PCIIdentity(vendor: 0xffff, device: 0xffff, classCode: 0)
  }

  /// Whether it is one: host bridges are not, by their header.
  package var isBridge: Bool { bridge != nil }

  /// The sentence that people read: address, name and class.
  package var line: LogLine {
    var line: LogLine = "\(address) "
    line.append(magnitude: UInt64(identity.vendor), radix: 16, width: 4)
    line.append(":")
    line.append(magnitude: UInt64(identity.device), radix: 16, width: 4)
    line.append(" class ")
    line.append(magnitude: UInt64(identity.classCode), radix: 16, width: 6)
    return line
  }
}

extension PCIFunction {
  /// Reads the function at `address`; `nil` if none answers.
  package init?<A: ConfigurationAccess>(at address: FunctionAddress, in access: A) {
    self.init(headAt: address, in: access)
    interruptLine = access.read8(address, Register.interruptLine)
    interruptPin = access.read8(address, Register.interruptPin)
    if interruptPin > 4 { interruptPin = 0 }
    readHeader(in: access)
  }

  /// Reads what the function at `address` is, and changes nothing; `nil` if none answers.
  init?<A: ConfigurationAccess>(headAt address: FunctionAddress, in access: A) {
    let names = access.read32(address, Register.vendor)
    // Bridges of old answer for functions that are not there with half of the ones (PCI Express 6.0, §2.3.2: all ones).
    guard names != 0, names != .max, names != 0xffff, names != 0xffff_0000 else { return nil }
    self.init()
    self.address = address
    let revision = access.read32(address, Register.revisionAndClass)
    identity = PCIIdentity(
      vendor: UInt16(truncatingIfNeeded: names), device: UInt16(truncatingIfNeeded: names >> 16),
      classCode: revision >> 8, revision: UInt8(truncatingIfNeeded: revision))
    let header = access.read8(address, Register.headerType)
    isMultifunction = header & 0x80 != 0
    headerType = header & 0x7f
    guard headerType == 1 else { return }
    bridge = BridgeBuses(
      secondary: access.read8(address, Register.secondaryBus),
      subordinate: access.read8(address, Register.subordinateBus))
  }

  private mutating func readHeader<A: ConfigurationAccess>(in access: A) {
    switch headerType {
    case 0:
      identity.subsystemVendor = access.read16(address, Register.subsystemVendor)
      identity.subsystem = access.read16(address, Register.subsystem)
      let count = isPartOfTheMachine ? 0 : 6
      readBody(ranges: count, romAt: count == 0 ? nil : Register.expansionROM, in: access)
    case 1:
      windows = BridgeWindows(of: address, passesRest: identity.classCode == BridgeWindows.subtractiveClass, in: access)
      readBody(ranges: 2, romAt: Register.bridgeROM, in: access)
    default: break
    }
  }

  private mutating func readBody<A: ConfigurationAccess>(ranges count: Int, romAt rom: Int?, in access: A) {
    var list = RangeList()
    if let rom { list = RangeList(of: address, count: count, romAt: rom, in: access) }
    capabilities = Capabilities(of: address, list, in: access)
    ranges = list.ranges
    self.rom = list.rom
  }
}
