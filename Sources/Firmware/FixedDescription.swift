// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What the FADT says of the machine's power management (ACPI 6.5, §5.2.9).
package struct FixedDescription: Equatable, Sendable {
  /// The power management timer's port, and the bits it counts with: 24 or 32.
  package let timerPort: UInt16?
  package let timerWidth: UInt8
  /// The port of the control register PM1a.
  package let controlPort: UInt16?
  /// What resets the machine, and the value that does.
  package let resetRegister: RegisterAddress?
  package let resetValue: UInt8
  /// The CMOS byte that holds the century; 0 if there is none.
  package let centuryIndex: UInt8

  /// Reads the FADT; fields that an older revision has not are left out.
  package init<M: PhysicalMemory & ~Copyable>(
    _ tables: borrowing SystemTables, in memory: borrowing M
  ) throws(ACPIError) {
    let range = try tables.find(.fadt, in: memory)
    guard let table = memory.bytes(at: range.start, count: range.size) else { throw ACPIError(.fadt, .unreadable) }
    guard let control = table.load(64, as: UInt32.self), let timer = table.load(76, as: UInt32.self),
      let timerLength = table.load(91, as: UInt8.self), let century = table.load(108, as: UInt8.self),
      let flags = table.load(112, as: UInt32.self)
    else { throw ACPIError(.fadt, .badLength) }
    // The 64-bit fields of revision 2 hold where they are not empty.
    controlPort = Self.port(wide: RegisterAddress(at: 172, in: table), narrow: control)
    timerPort = timerLength == 4 ? Self.port(wide: RegisterAddress(at: 208, in: table), narrow: timer) : nil
    timerWidth = flags & (1 << 8) != 0 ? 32 : 24
    // Flag 10: the reset register is there.
    resetRegister = flags & (1 << 10) != 0 ? RegisterAddress(at: 116, in: table) : nil
    resetValue = table.load(128, as: UInt8.self) ?? 0
    centuryIndex = century
  }

  private static func port(wide: RegisterAddress?, narrow: UInt32) -> UInt16? {
    if let port = wide?.port { return port }
    return narrow != 0 && narrow <= 0xffff ? UInt16(narrow) : nil
  }
}
