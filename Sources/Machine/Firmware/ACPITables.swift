// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// The guest's ACPI tables: what its operating system learns of interrupts, power management and PCI.
package enum ACPITables {
  /// Writes all tables into the firmware's area of `memory`.
  /// - Returns: Where the RSDP is.
  package static func write(
    _ hardware: FixedHardware, to memory: GuestMemory
  ) throws(ACPIError) -> GuestAddress {
    guard memory.low.size >= MemoryMap.extendedStart, memory.low.end <= MemoryMap.lowLimit,
      let windowStart = memory.low.end.roundedUp(to: 1 * .MiB)
    else { throw .badMemorySize }
    var cursor = MemoryMap.firmwareStart + 0x40  // the RSDP goes first, when the rest is known
    let facs = try facs().place(in: memory, at: &cursor, alignment: 64)
    let dsdt = try dsdt(hardware, windowStart: UInt32(windowStart)).place(in: memory, at: &cursor)
    let fadt = try fadt(hardware, facs: facs, dsdt: dsdt).place(in: memory, at: &cursor)
    let madt = try madt(hardware).place(in: memory, at: &cursor)
    let rsdt = try root("RSDT", UInt32.self, fadt, madt).place(in: memory, at: &cursor)
    let xsdt = try root("XSDT", UInt64.self, fadt, madt).place(in: memory, at: &cursor)
    var start = MemoryMap.firmwareStart
    let rsdp = try rsdp(rsdt: rsdt, xsdt: xsdt).place(in: memory, at: &start)
    return GuestAddress(UInt64(rsdp))
  }

  /// The root pointer (ACPI 6.4, §5.2.5.3).
  private static func rsdp(rsdt: UInt32, xsdt: UInt32) -> ACPITable {
    var table = ACPITable()
    table.append("RSD PTR ")
    table.append(UInt8(0))
    table.append("ROOST ")
    table.append(UInt8(2))
    table.append(rsdt)
    table.append(UInt32(36))
    table.append(UInt64(xsdt))
    table.append(UInt32(0))
    table.setChecksum(at: 8, over: 20)
    table.setChecksum(at: 32, over: 36)
    return table
  }

  /// The list of tables, with pointers of 4 or 8 bytes (§5.2.7, §5.2.8).
  private static func root<Pointer: FixedWidthInteger>(
    _ signature: StaticString, _ pointer: Pointer.Type, _ fadt: UInt32, _ madt: UInt32
  ) -> ACPITable {
    var table = ACPITable(signature, revision: 1)
    table.append(Pointer(truncatingIfNeeded: fadt))
    table.append(Pointer(truncatingIfNeeded: madt))
    table.seal()
    return table
  }

  /// The firmware control structure: nobody wakes from sleep here, but ACPI wants it (§5.2.10).
  private static func facs() -> ACPITable {
    var table = ACPITable()
    table.append("FACS")
    table.append(UInt32(64))
    table.append(zeros: 24)
    table.append(UInt8(2))
    table.append(zeros: 31)
    return table
  }

  /// The interrupt controllers (§5.2.12).
  private static func madt(_ hardware: FixedHardware) -> ACPITable {
    var table = ACPITable("APIC", revision: 3)
    table.append(UInt32(MemoryMap.localAPIC))
    table.append(UInt32(1))  // PCAT_COMPAT: there is a pair of 8259s, to be masked
    for identifier in 0..<hardware.processorCount {
      table.append(UInt16(0x0800))
      table.append(identifier)
      table.append(identifier)
      table.append(UInt32(1))
    }
    table.append(UInt16(0x0c01))
    table.append(UInt16(hardware.ioAPICIdentifier))
    table.append(UInt32(MemoryMap.ioAPIC))
    table.append(UInt32(0))
    // On every PC since the first I/O APIC the 8254's IRQ 0 is on pin 2.
    table.interruptOverride(isa: 0, global: UInt32(IOAPIC.timerPin), flags: 0)
    table.interruptOverride(
      isa: hardware.interrupt, global: UInt32(hardware.interrupt), flags: PowerManagement.interruptFlags)
    table.append(UInt16(0x0604))  // NMI: LINT1 of every processor
    table.append(UInt8(0xff))
    table.append(UInt16(0))
    table.append(UInt8(1))
    table.seal()
    return table
  }
}

extension ACPITable {
  /// An ISA interrupt that differs from the rest; `flags` 0b1101 is level-triggered, active high (§5.2.12.5).
  fileprivate mutating func interruptOverride(isa line: UInt8, global: UInt32, flags: UInt16) {
    append(UInt16(0x0a02))
    append(UInt8(0))
    append(line)
    append(global)
    append(flags)
  }
}
