// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension ACPITables {
  /// Power management and what a PC has beside it (ACPI 5.0, §5.2.9: revision 5, 268 bytes).
  static func fadt(_ hardware: FixedHardware, facs: UInt32, dsdt: UInt32) -> ACPITable {
    var table = ACPITable("FACP", revision: 5)
    table.append(facs)
    table.append(dsdt)
    table.append(zeros: 2)  // no preferred power profile
    table.append(UInt16(hardware.interrupt))
    table.append(zeros: 8)  // no SMI port: the machine is always in ACPI mode
    table.appendBlocks(hardware)
    // Latencies that say: no C2, no C3 (§5.2.9, P_LVL2_LAT).
    table.append(UInt16(0xffff))
    table.append(UInt16(0xffff))
    table.append(zeros: 8)
    table.append(hardware.centuryRegister)
    // Boot architecture: ports of ISA days are there, no 8042 (bit 1), no VGA (bit 2), a CMOS clock (bit 5 clear).
    table.append(UInt16(0b101))
    table.append(UInt8(0))
    table.append(flags(hardware).rawValue)
    table.appendRegister(hardware.resetPort, bits: 8, access: .byte)
    table.append(hardware.resetValue)
    table.append(zeros: 3)
    table.append(UInt64(0))  // the 32-bit pointer above is the FACS's only one (X_FIRMWARE_CTRL)
    table.append(UInt64(dsdt))
    table.appendRegister(hardware.eventPort, bits: 32, access: .word)
    table.append(zeros: 12)
    table.appendRegister(hardware.controlPort, bits: 16, access: .word)
    table.append(zeros: 24)
    table.appendRegister(hardware.timerPort, bits: 32, access: .dword)
    table.append(zeros: 48)
    table.seal()
    return table
  }

  private static func flags(_ hardware: FixedHardware) -> FixedFeature {
    var flags: FixedFeature = .writeBackInvalidate | .haltInC1 | .noSleepButton | .noFixedWakeByClock | .resetRegister
    flags.set(.noPowerButton, to: !hardware.hasPowerButton)
    flags.set(.timer32Bit, to: hardware.isTimer32Bit)
    return flags
  }

  /// Fixed feature flags (ACPI 5.0, table 5-35).
  private struct FixedFeature: Flags {
    let rawValue: UInt32
    static var writeBackInvalidate: Self { .bit(0) }
    static var haltInC1: Self { .bit(2) }
    static var noPowerButton: Self { .bit(4) }
    static var noSleepButton: Self { .bit(5) }
    static var noFixedWakeByClock: Self { .bit(6) }
    static var timer32Bit: Self { .bit(8) }
    static var resetRegister: Self { .bit(10) }
  }
}

extension ACPITable {
  /// The register blocks as 32-bit port numbers, and their lengths.
  fileprivate mutating func appendBlocks(_ hardware: FixedHardware) {
    append(UInt32(hardware.eventPort))
    append(UInt32(0))
    append(UInt32(hardware.controlPort))
    append(zeros: 8)
    append(UInt32(hardware.timerPort))
    append(zeros: 8)  // no general-purpose events
    append(UInt8(4))
    append(UInt8(2))
    append(UInt8(0))
    append(UInt8(4))
    append(zeros: 4)
  }

  /// How wide the accesses to a register are (ACPI 6.4, §5.2.3.2).
  fileprivate enum AccessSize: UInt8 {
    case byte = 1
    case word = 2
    case dword = 3
  }

  /// A register in I/O space, in the general form (§5.2.3.2).
  fileprivate mutating func appendRegister(_ port: UInt16, bits: UInt8, access: AccessSize) {
    append(UInt8(1))
    append(bits)
    append(UInt8(0))
    append(access.rawValue)
    append(UInt64(port))
  }
}
