// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// Where things are in the guest's physical address space.
package enum MemoryMap {
  /// The end of conventional memory; a PC keeps its extended BIOS data from here to 640 KiB.
  package static var conventionalEnd: UInt64 { 0x9_fc00 }
  /// The end of conventional memory and that reserved kilobyte.
  package static var baseEnd: UInt64 { 0xa_0000 }
  /// The firmware's area, where operating systems look for the RSDP (ACPI 6.4, §5.2.5.1): all tables are in it.
  package static var firmwareStart: UInt64 { 0xf_0000 }
  package static var firmwareEnd: UInt64 { 0x10_0000 }
  /// Memory beyond the first MiB begins here.
  package static var extendedStart: UInt64 { 0x10_0000 }
  /// The I/O APIC's registers, and the end of the window for PCI devices.
  package static var ioAPIC: UInt64 { IOAPIC.address }
  /// The local APIC's registers.
  package static var localAPIC: UInt64 { LocalAPIC.defaultAddress }
  /// Low memory ends here at the latest; the rest below 4 GiB is for devices. The MTRRs say the same.
  package static var lowLimit: UInt64 { 0xc000_0000 }
}
