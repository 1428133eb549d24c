// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What the ACPI tables say of the hardware whose place no standard fixes: by default, where `PC` has it.
package struct FixedHardware: Equatable, Sendable {
  /// The power management event block: 4 bytes, status and enable (ACPI 6.4, §4.8.3.1).
  package var eventPort = PowerManagement.eventBlockPort
  /// The power management control register: 2 bytes (§4.8.3.2).
  package var controlPort = PowerManagement.controlBlockPort
  /// The power management timer: 4 bytes (§4.8.3.3).
  package var timerPort = PowerManagement.timerPort
  /// Whether that timer counts 32 bits, not 24.
  package var isTimer32Bit = PowerManagement.timerBits == 32
  /// The SLP_TYP that means soft off.
  package var softOffType = PowerManagement.softOffType
  /// Whether there is a power button in the event block.
  package var hasPowerButton = true
  /// Where and what to write for a reset.
  package var resetPort = PowerManagement.resetPort
  package var resetValue = PowerManagement.resetValue
  /// The interrupt of power management events.
  package var interrupt = PowerManagement.interrupt
  /// The CMOS register of the century.
  package var centuryRegister: UInt8 = 0x32
  /// The I/O APIC's identity.
  package var ioAPICIdentifier: UInt8 = 1
  /// vCPUs, with the local APIC identities 0 and up.
  package var processorCount: UInt8 = 1

  package init() {}
}
