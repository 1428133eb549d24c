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

  // MARK: - Messages, whose vectors servers may be given

  private func vector(_ queue: Int) -> UInt8? { guest.pc.requestedVector(ofFunction: 0, queue: queue) }

  /// Queue 0 has message 1: to this processor, vector 0x62.
  private func startMessages() {
    guest.store(Self.registers + 22, 0, width: 2)
    guest.store(Self.registers + 26, 1, width: 2)
    writeMessage(address: 0xfee0_0000, data: 0x62, control: 0)
    writeMessageControl(0x8000)
  }

  private func writeMessage(address: UInt32, data: UInt32, control: UInt32) {
    let entry = Self.registers + 0x800 + 16
    for (offset, value) in [(0, address), (4, 0), (8, data), (12, control)] as [(UInt64, UInt32)] {
      guest.store(entry + offset, value)
    }
  }

  /// The capability of MSI-X is the first.
  private func writeMessageControl(_ value: UInt32) {
    guest.out(0xcf8, 0x8000_0834, width: 4)
    let capability = guest.input(0xcfc)
    guest.out(0xcf8, 0x8000_0800 | capability, width: 4)
    guest.out(0xcfe, value, width: 2)
  }

  @Test func `the vector of a queue's message is the one that the guest would get`() {
    #expect(vector(0) == nil)
    startMessages()
    #expect(vector(0) == 0x62)
    guest.interrupt { $0.withFunction(0) { $0.raise(queue: 0) } }
    #expect(guest.halt(until: 1000) == 0x62)
    // Without a message, the control queue, and queues and functions that are not there.
    for queue in [1, 2, 3, -1, .max] { #expect(vector(queue) == nil) }
    for index in [-1, 1, 8] { #expect(guest.pc.requestedVector(ofFunction: index, queue: 0) == nil) }
  }

  @Test func `there is none while the message could not go out`() {
    startMessages()
    writeMessage(address: 0xfee0_0000, data: 0x62, control: 1)
    #expect(vector(0) == nil)
    writeMessage(address: 0xfee0_0000, data: 0x62, control: 0)
    writeMessageControl(0xc000)
    #expect(vector(0) == nil)
    writeMessageControl(0)
    #expect(vector(0) == nil)
    writeMessageControl(0x8000)
    #expect(vector(0) == 0x62)
    guest.out(0xcf8, 0x8000_0804, width: 4)
    guest.out(0xcfc, 2, width: 2)
    #expect(vector(0) == nil)
    guest.out(0xcfc, 6, width: 2)
    guest.store(Self.registers + 20, 0, width: 1)
    #expect(vector(0) == nil)
  }

  @Test(
    arguments: [
      (0xfed0_0000, 0x62), (0xfee0_1000, 0x62), (0xfee0_0000, 0xf), (0xfee0_0000, 0x8062), (0xfee0_0000, 0x462),
      (0xfee0_0000, 0x262), (0xfee0_0000, 0x762),
    ] as [(UInt32, UInt32)])
  func `nor for a message to others, of another kind, or by level`(address: UInt32, data: UInt32) {
    startMessages()
    writeMessage(address: address, data: data, control: 0)
    #expect(vector(0) == nil)
  }

  @Test(arguments: [(0xfee0_0000, 0x162), (0xfeef_f000, 0x62)] as [(UInt32, UInt32)])
  func `lowest priority and broadcasts reach the one processor`(address: UInt32, data: UInt32) {
    startMessages()
    writeMessage(address: address, data: data, control: 0)
    #expect(vector(0) == 0x62)
  }
}
