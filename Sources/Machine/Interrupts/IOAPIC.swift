// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// A level-triggered pin goes round in a circle: its line is asserted and it is not masked → a message goes out and
// remote IRR is set → the processor ends the interrupt, remote IRR is cleared → if the line is still asserted, the
// next message is due. What is due is a matter of state alone, so a pin is never forgotten: `nextMessage` finds it.
// An edge-triggered pin sends when its line is asserted, and never again for that edge; edges on a masked pin are lost
// (82093AA data sheet, §3.2.4, "Interrupt Mask").

/// A message from an IOAPIC to the local APICs.
package struct IOAPICMessage: Equatable, Sendable {
  package var vector: UInt8
  package var mode: DeliveryMode
  package var destination: UInt8
  package var isLogical: Bool
  package var trigger: Trigger
}

/// The PC's IOAPIC: an Intel 82093AA with the EOI register of its successors (version 0x20).
///
/// After each `write` and `endOfInterrupt` the owner delivers what `nextMessage` gives until that is `nil`.
package struct IOAPIC: Sendable {
  /// Where the registers are in memory, and how many bytes they take.
  package static var address: UInt64 { 0xfec0_0000 }
  package static var size: UInt64 { 0x1000 }
  package static var pinCount: Int { 24 }
  /// The pin of the 8254; all other IRQs have the pin of their number.
  package static var timerPin: Int { 2 }

  private struct Pin {
    var redirection = Redirection.masked
    var destination: UInt8 = 0
  }

  private var pins: InlineArray<24, Pin> = InlineArray(repeating: Pin())
  private var index: UInt8 = 0
  private var identity: UInt8

  // What of the pins is needed together, a bit for each.
  /// The electrical levels of the lines.
  private var lines: UInt32 = 0
  private var activeLow: UInt32 = 0
  private var remoteIRR: UInt32 = 0
  /// Pins whose remote IRR was cleared, for `takeEnded`.
  private var ended: UInt32 = 0
  /// Level-triggered pins that are not masked and that remote IRR applies to.
  private var openLevels: UInt32 = 0

  package init(identity: UInt8 = 1) { self.identity = identity & 0xf }

  // MARK: - Lines

  /// Sets the electrical level of a pin's line: a pin that the guest programs active-low is asserted while it is low.
  /// → the message of the edge, or of the level; `nil` if nothing is to be delivered
  package mutating func setLine(_ pin: Int, isHigh: Bool) -> IOAPICMessage? {
    guard pins.indices.contains(pin) else { return nil }
    let bit = Self.bit(pin)
    let before = asserted & bit
    if isHigh { lines |= bit } else { lines &= ~bit }
    guard before == 0, asserted & bit != 0, !pins[pin].redirection.contains(.masked) else { return nil }
    if openLevels & bit == 0 { return message(pin, .edge) }
    return remoteIRR & bit == 0 ? sendLevel(pin) : nil
  }

  /// The processor has ended the interrupt of `vector`: its pins may send again.
  package mutating func endOfInterrupt(vector: UInt8) {
    guard remoteIRR != 0 else { return }
    for pin in pins.indices where remoteIRR & Self.bit(pin) != 0 && pins[pin].redirection.vector == vector {
      remoteIRR &= ~Self.bit(pin)
      ended |= Self.bit(pin)
    }
  }

  /// The pins whose interrupts were ended since this was last called.
  package mutating func takeEnded() -> UInt32 {
    defer { ended = 0 }
    return ended
  }

  /// The next level-triggered message that is due, which with this call counts as sent; one for each pin at most.
  package mutating func nextMessage() -> IOAPICMessage? {
    let due = asserted & openLevels & ~remoteIRR
    return due == 0 ? nil : sendLevel(due.trailingZeroBitCount)
  }

  /// The vector that a pin's interrupts have; `nil` while it is masked.
  package func vector(ofPin pin: Int) -> UInt8? {
    guard pins.indices.contains(pin), !pins[pin].redirection.contains(.masked) else { return nil }
    return pins[pin].redirection.vector
  }

  private var asserted: UInt32 { lines ^ activeLow }

  private static func bit(_ pin: Int) -> UInt32 { 1 << UInt32(truncatingIfNeeded: pin) }

  private mutating func sendLevel(_ pin: Int) -> IOAPICMessage? {
    guard let message = message(pin, .level) else { return nil }
    remoteIRR |= Self.bit(pin)
    return message
  }

  private func message(_ pin: Int, _ trigger: Trigger) -> IOAPICMessage? {
    let entry = pins[pin]
    // Startup is for processors to send; here it is a reserved mode.
    guard let mode = entry.redirection.mode, mode != .startup else { return nil }
    return IOAPICMessage(
      vector: entry.redirection.vector, mode: mode, destination: entry.destination,
      isLogical: entry.redirection.contains(.logical), trigger: trigger)
  }

  // MARK: - Registers

  /// Reads the register at `offset` of the window.
  package func read(offset: UInt32) -> UInt32 {
    switch offset {
    case Window.index: UInt32(index)
    case Window.data: readSelected()
    default: 0
    }
  }

  /// Writes the register at `offset` of the window.
  package mutating func write(offset: UInt32, value: UInt32) {
    switch offset {
    case Window.index: index = UInt8(truncatingIfNeeded: value)
    case Window.data: writeSelected(value)
    case Window.endOfInterrupt: endOfInterrupt(vector: UInt8(truncatingIfNeeded: value))
    default: break
    }
  }

  /// The pin whose entry the index selects.
  private var selectedPin: Int? {
    guard index >= Register.redirection else { return nil }
    let pin = Int((index - Register.redirection) >> 1)
    return pin < Self.pinCount ? pin : nil
  }

  private func readSelected() -> UInt32 {
    guard let pin = selectedPin else {
      switch index {
      case Register.identity, Register.arbitration: return UInt32(identity) << 24
      case Register.version: return Self.versionWord
      default: return 0
      }
    }
    guard index & 1 == 0 else { return UInt32(pins[pin].destination) << 24 }
    let pending: Redirection = remoteIRR & Self.bit(pin) != 0 ? .remoteIRR : .none
    return (pins[pin].redirection | pending).rawValue
  }

  private mutating func writeSelected(_ value: UInt32) {
    guard let pin = selectedPin else {
      if index == Register.identity { identity = UInt8(truncatingIfNeeded: value >> 24) & 0xf }
      return
    }
    guard index & 1 == 0 else {
      pins[pin].destination = UInt8(truncatingIfNeeded: value >> 24)
      return
    }
    let entry = Redirection(rawValue: value & Redirection.writable)
    pins[pin].redirection = entry
    let bit = Self.bit(pin)
    activeLow = entry.contains(.activeLow) ? activeLow | bit : activeLow & ~bit
    // All other delivery modes are edges, whatever the trigger bit says (§3.2.4, "Delivery Mode").
    let isLevel = entry.contains(.levelTriggered) && (entry.mode == .fixed || entry.mode == .lowestPriority)
    openLevels = isLevel && !entry.contains(.masked) ? openLevels | bit : openLevels & ~bit
    // Making a pin edge-triggered ends its level; Linux relies on that where there is no EOI register.
    if !entry.contains(.levelTriggered) {
      ended |= remoteIRR & bit
      remoteIRR &= ~bit
    }
  }
}
