// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI

/// Functions that the machine itself needs, whoever has none of them.
extension PCIFunction {
  /// Whether it is the bridge from the host, or to the ISA bus, or an IOMMU's own function: what these decode, interrupt
  /// controllers and the console among it, may not be switched off even for a moment; or one whose base addresses are
  /// something else. Nobody is ever given one.
  package var isPartOfTheMachine: Bool {
    switch identity.classCode >> 8 {
    case MachineClass.hostBridge, MachineClass.isaBridge, MachineClass.remapping: true
    default: hasOtherRegisters
    }
  }

  /// Whether it stays as firmware left it if nobody has it: an I/O APIC sends its interrupts as master of the bus, timers
  /// and DMA engines of the chipset are the firmware's, and so are what configures memory, counts and processes signals.
  package var isNeededByTheMachine: Bool {
    switch identity.classCode >> 8 {
    case MachineClass.memoryController, MachineClass.counters, MachineClass.signals: true
    default: identity.classCode >> 16 == MachineClass.systemPeripheral
    }
  }

  /// Whether it can do without memory and interrupts as long as nobody has it.
  package var canBeSilent: Bool { !isBridge && !isPartOfTheMachine && !isNeededByTheMachine }

  /// Functions of Intel's chipsets (uncore of Xeon E5 and E7 from the third generation on, "MROM" of C620 and C740) that
  /// have other registers where base addresses would be: all ones would be written into these.
  private var hasOtherRegisters: Bool {
    guard identity.vendor == 0x8086 else { return false }
    switch identity.device {
    case 0x2fc0, 0x6f60, 0x6fa0, 0x6fc0, 0xa1ec, 0xa1ed, 0xa26c, 0xa26d: return true
    default: return false
    }
  }

  /// Keeps the function from asking for translations and from sending translated addresses: nobody answers the one, nobody
  /// may do the other (PCI Express 6.0, §10.5.1.3).
  package func switchOffTranslation<A: ConfigurationAccess>(in access: A) {
    guard let place = capabilities.addressTranslation else { return }
    access.change16(address, place + 6, clear: 1 << 15)
  }

  /// Keeps the function from raising interrupts and from reaching memory.
  package func quiesce<A: ConfigurationAccess>(in access: A) {
    silence(in: access)
    change(removing: .busMaster, in: access)
  }

  /// Switches off a function that nobody has, so that nothing reaches it or comes from it.
  package func park<A: ConfigurationAccess>(in access: A) {
    quiesce(in: access)
    change(removing: .memorySpace | .ioSpace, in: access)
  }
}

/// Base class and subclass (PCI Code and ID Assignment 1.15, §1.1).
private enum MachineClass {
  static var memoryController: UInt32 { 0x0580 }
  static var hostBridge: UInt32 { 0x0600 }
  static var isaBridge: UInt32 { 0x0601 }
  static var remapping: UInt32 { 0x0806 }
  static var counters: UInt32 { 0x1101 }
  static var signals: UInt32 { 0x1180 }
  /// A base class alone.
  static var systemPeripheral: UInt32 { 0x08 }
}
