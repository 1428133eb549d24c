// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits
package import PCI

/// What keeps a device to the memory of its owner, and to its own interrupts.
package enum DeviceWall: Sendable {
  case iommu
  /// An IOMMU that does not remap interrupts.
  case memoryAlone
  /// Nothing: its description allows that.
  case none
}

/// A device of the machine and who has it.
package struct DeviceRow {
  package static var header: LogLine { row("device", "owner", "what") }

  private let address: LogLine
  private let owner: ShortName
  private let what: LogLine

  /// A PCI function.
  package init(_ address: FunctionAddress, _ owner: ShortName, _ identity: PCIIdentity, _ wall: DeviceWall) {
    self.address = "\(address)"
    self.owner = owner
    var what = LogLine()
    what.append(magnitude: UInt64(identity.vendor), radix: 16, width: 4)
    what.append(":")
    what.append(magnitude: UInt64(identity.device), radix: 16, width: 4)
    what.append(" ")
    what.append(identity.className)
    switch wall {
    case .iommu: what.append(", kept to its owner's memory")
    case .memoryAlone: what.append(", kept to memory, not to its interrupts")
    case .none: what.append(", UNPROTECTED: it reaches all memory")
    }
    self.what = what
  }

  /// I/O ports from `first` on.
  package init(ports first: UInt16, count: UInt16, _ owner: ShortName) {
    address = "\(hex: first, width: 3)"
    self.owner = owner
    what = first == 0x3f8 ? "COM1" : first == 0x2f8 ? "COM2" : "\(count) I/O ports"
  }

  package var line: LogLine { Self.row(address, "\(owner)", what) }

  private static func row(_ address: LogLine, _ owner: LogLine, _ what: LogLine) -> LogLine {
    var line = LogLine()
    line.pad(to: Column.indentation)
    line.appendInterpolation(address)
    line.pad(to: Column.owner)
    line.appendInterpolation(owner)
    line.pad(to: Column.device)
    line.appendInterpolation(what)
    return line
  }
}
