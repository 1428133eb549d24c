// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Testing
import Virtio

@testable import Machine

/// The interrupt pin of a PCI function, at a pin of the I/O APIC that Linux sets up as ACPI has it by default: level,
/// active low.
struct PCIInterruptTests {
  private let guest = ScriptedGuest()
  private static let registers: UInt64 = 0xfe00_0000
  private static let interruptStatus = registers + 0x200

  /// A card in slot 1 with a driver that has no messages.
  init() {
    guest.pc.plug(VirtioFunction(.network(NetworkCard(address: MACAddress(rawValue: 0x0200_0000_aa01)))))
    guest.startControllers()
    guest.startLocalAPIC()
    guest.out(0xcf8, 0x8000_0804, width: 4)
    guest.out(0xcfc, 6, width: 2)
    guest.route(17, to: 0x41, level: true, activeLow: true)
    // VERSION_1 alone, then the steps to DRIVER_OK (virtio 1.2, §3.1.1).
    guest.store(Self.registers + 8, 1)
    guest.store(Self.registers + 12, 1)
    for status: UInt32 in [1, 3, 11, 15] { guest.store(Self.registers + 20, status, width: 1) }
  }

  @Test func `a line at rest interrupts nobody`() {
    #expect(guest.halt(until: 1000) == nil)
  }

  @Test func `an interrupt lasts until the guest has read why`() {
    guest.interrupt { $0.withFunction(0) { $0.raise(queue: 0) } }
    #expect(guest.halt(until: 1000) == 0x41)
    guest.endOfInterrupt()
    #expect(guest.halt(until: 1000) == 0x41)
    #expect(guest.load(Self.interruptStatus) & 0xff == 1)
    guest.endOfInterrupt()
    #expect(guest.halt(until: 1000) == nil)

    guest.interrupt { $0.withFunction(0) { $0.raise(queue: 1) } }
    #expect(guest.halt(until: 1000) == 0x41)
  }
}
