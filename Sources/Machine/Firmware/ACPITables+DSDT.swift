// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension ACPITables {
  /// The first I/O APIC pin of PCI, and how many there are: INTA# to INTD# of all slots share them.
  package static var firstPCIPin: UInt32 { 16 }
  package static var pciPinCount: UInt32 { 8 }

  /// The I/O APIC pin of interrupt `pin` (0 is INTA#) of the function in `slot`: neighbours get different pins.
  package static func ioAPICPin(slot: UInt32, pin: UInt32) -> UInt32 {
    firstPCIPin + (slot &+ pin) % pciPinCount
  }

  /// The machine in AML: soft off, one PCI root, the clock and the serial port.
  static func dsdt(_ hardware: FixedHardware, windowStart: UInt32) -> ACPITable {
    var table = ACPITable("DSDT", revision: 2)
    table.name("_S5_")
    table.package(of: 4) { table in
      table.integer(UInt32(hardware.softOffType))
      table.integer(UInt32(hardware.softOffType))
      table.integer(0)
      table.integer(0)
    }
    table.scope("\\_SB_") { table in
      table.device("PCI0") { table in
        table.appendPCIRoot(windowStart: windowStart)
        table.isaDevice("RTC0", "PNP0B00", port: 0x70, count: 2, interrupt: 8)
        table.isaDevice("COM1", "PNP0501", port: 0x3f8, count: 8, interrupt: 4)
      }
    }
    table.seal()
    return table
  }
}

extension ACPITable {
  private static var highestBus: UInt16 { 0 }

  /// The PCI root: bus 0 alone, all ports but those of configuration space, memory up to the I/O APIC.
  fileprivate mutating func appendPCIRoot(windowStart: UInt32) {
    name("_HID")
    identifier("PNP0A03")
    name("_BBN")
    integer(0)
    name("_CRS")
    resources { table in
      table.window(.bus, from: 0, through: Self.highestBus)
      table.ports(0xcf8, count: 8)
      table.window(.io, from: 0, through: 0xcf7)
      table.window(.io, from: 0xd00, through: 0xffff)
      table.memoryWindow(from: windowStart, through: UInt32(MemoryMap.ioAPIC) - 1)
    }
    name("_PRT")
    package(of: 31 * 4) { table in
      for slot in UInt32(1)...31 {
        for pin in UInt32(0)..<4 { table.appendRoute(slot: slot, pin: pin) }
      }
    }
  }

  /// One route: all functions of `slot`, `pin`, to a pin of the I/O APIC and nothing in between (§6.2.13).
  private mutating func appendRoute(slot: UInt32, pin: UInt32) {
    package(of: 4) { table in
      table.integer(slot << 16 | 0xffff)
      table.integer(pin)
      table.integer(0)
      table.integer(ACPITables.ioAPICPin(slot: slot, pin: pin))
    }
  }

  /// A device with fixed ports and a fixed interrupt.
  fileprivate mutating func isaDevice(
    _ name: StaticString, _ identifier: StaticString, port: UInt16, count: UInt8, interrupt: UInt8
  ) {
    device(name) { table in
      table.name("_HID")
      table.identifier(identifier)
      table.name("_CRS")
      table.resources { table in
        table.ports(port, count: count)
        table.interrupt(interrupt)
      }
    }
  }
}
