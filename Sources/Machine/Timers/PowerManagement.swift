// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a guest asked of its machine as a whole.
package enum PowerRequest: Equatable, Sendable {
  case none
  /// Soft-off (ACPI S5).
  case powerOff
  /// A reset, by whichever of the PC's ways.
  case reset
}

/// The PC's power management: ACPI's fixed hardware (ACPI 6.4, §4.8.3), and the ports that reset a PC.
///
/// There is no SMI command port, so the machine is always in ACPI mode and SCI_EN always reads one (§4.8.2.5).
///
/// There is no keyboard controller, only its reset line. The FADT says so (8042 flag of IAPC_BOOT_ARCH clear), and
/// then Linux touches neither port. A guest that looks all the same reads status 0xFD: "output buffer full" never
/// ends, so Linux's i8042 probe gives up after its sixteen reads instead of waiting half a second for an answer; and
/// "input buffer full" is clear, so that a reboot through port 0x64 does not first spin for the controller.
///
/// Registers are bytes here: a wider access is the accesses of its bytes, lowest first.
package struct PowerManagement: Sendable {
  private static var rate: TickRate { TickRate(frequency: timerFrequency) }

  private var status = PowerEvents.none
  private var enable = PowerEvents.none
  private var control = PowerControl.none
  /// Changes of the timer's bit 23 that `status` has been told of.
  private var carries: UInt64 = 0
  private var resetControl: UInt8 = 0

  package init() {}

  /// Whether `port` is one of this device's.
  package static func owns(_ port: UInt16) -> Bool {
    switch port {
    case eventBlockPort..<eventBlockPort + UInt16(eventBlockLength),
      controlBlockPort..<controlBlockPort + UInt16(controlBlockLength),
      timerPort..<timerPort + UInt16(timerLength),
      systemControlPort, resetPort, keyboardDataPort, keyboardCommandPort:
      true
    default: false
    }
  }

  /// Reads `width` (1, 2 or 4) bytes from `port`; ports that are not this device's read as ones.
  package mutating func read(port: UInt16, width: Int, now: UInt64) -> UInt32 {
    advance(to: now)
    var value: UInt32 = 0
    for index in 0..<min(max(width, 0), 4) {
      let byte = readByte(port &+ UInt16(truncatingIfNeeded: index), now: now)
      value |= UInt32(byte) << UInt32(8 * index)
    }
    return value
  }

  /// Writes `width` (1, 2 or 4) bytes to `port`.
  package mutating func write(port: UInt16, value: UInt32, width: Int, now: UInt64) -> PowerRequest {
    advance(to: now)
    for index in 0..<min(max(width, 0), 4) {
      let byte = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
      let request = writeByte(port &+ UInt16(truncatingIfNeeded: index), byte)
      if request != .none { return request }
    }
    return .none
  }

  /// The level of the SCI: some event is set and enabled (§4.8.3.1).
  package var interruptLine: Bool { status.intersects(enable) }

  /// An event happened: the power button was pressed, the clock's alarm rang.
  package mutating func signal(_ event: PowerEvents) { status.insert(event & .enables) }

  /// When `interruptLine` will rise by itself.
  package var nextDeadline: UInt64? {
    guard enable.contains(.timerCarry), !status.contains(.timerCarry) else { return nil }
    return Self.rate.time(ofTick: (carries &+ 1) << UInt64(Self.timerBits - 1))
  }

  /// Lets time pass.
  package mutating func advance(to now: UInt64) {
    let passed = Self.rate.ticks(at: now) >> UInt64(Self.timerBits - 1)
    guard passed > carries else { return }
    carries = passed
    status.insert(.timerCarry)
  }

  private func readByte(_ port: UInt16, now: UInt64) -> UInt8 {
    switch port {
    case Self.eventBlockPort: low(status.rawValue)
    case Self.eventBlockPort + 1: high(status.rawValue)
    case Self.eventBlockPort + 2: low(enable.rawValue)
    case Self.eventBlockPort + 3: high(enable.rawValue)
    case Self.controlBlockPort: low((control | .interruptEnable).rawValue)
    case Self.controlBlockPort + 1: high(control.rawValue)
    case Self.timerPort..<Self.timerPort + 3:
      UInt8(truncatingIfNeeded: Self.rate.ticks(at: now) >> UInt64(8 * (port - Self.timerPort)))
    case Self.timerPort + 3: 0
    // A20 is always on.
    case Self.systemControlPort: 0x02
    case Self.resetPort: resetControl
    case Self.keyboardCommandPort: 0xfd
    default: 0xff
    }
  }

  private mutating func writeByte(_ port: UInt16, _ value: UInt8) -> PowerRequest {
    switch port {
    case Self.eventBlockPort: status.remove(PowerEvents(rawValue: UInt16(value)))
    case Self.eventBlockPort + 1: status.remove(PowerEvents(rawValue: UInt16(value) << 8))
    case Self.eventBlockPort + 2:
      enable = PowerEvents(rawValue: enable.rawValue & 0xff00 | UInt16(value)) & .enables
    case Self.eventBlockPort + 3:
      enable = PowerEvents(rawValue: enable.rawValue & 0x00ff | UInt16(value) << 8) & .enables
    case Self.controlBlockPort:
      control = PowerControl(rawValue: control.rawValue & 0xff00 | UInt16(value)) & .stored
    case Self.controlBlockPort + 1:
      return sleep(PowerControl(rawValue: control.rawValue & 0x00ff | UInt16(value) << 8))
    // Bit 0 pulses the reset line.
    case Self.systemControlPort: return value & 1 != 0 ? .reset : .none
    // Commands 0xF0 to 0xFF pulse the output lines whose bit is zero; line 0 is the reset.
    case Self.keyboardCommandPort: return value & 0xf1 == 0xf0 ? .reset : .none
    case Self.resetPort: return writeResetControl(value)
    default: break
    }
    return .none
  }

  /// SLP_EN enters the state that SLP_TYP names (§4.8.3.2.1); soft-off is the only one this machine has.
  private mutating func sleep(_ word: PowerControl) -> PowerRequest {
    control = word & .stored
    guard word.contains(.sleepEnable) else { return .none }
    let type = word.rawValue.bits(PowerControl.sleepTypeShift, count: 3)
    return type == UInt16(Self.softOffType) ? .powerOff : .none
  }

  /// Bit 2 going from zero to one resets; bit 1 only says how thoroughly.
  private mutating func writeResetControl(_ value: UInt8) -> PowerRequest {
    let rises = value & ~resetControl & 0x04 != 0
    resetControl = value & 0x0e
    return rises ? .reset : .none
  }

  private func low(_ word: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: word) }
  private func high(_ word: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: word >> 8) }
}
