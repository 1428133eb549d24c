// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// This core's interrupt controller (Intel SDM volume 3, chapter 11; AMD APM volume 2, chapter 16): every core finds its
/// own in the same place.
package struct LocalAPIC<Access: APICAccess> {
  package let access: Access

  package init(_ access: Access) { self.access = access }

  package subscript(_ register: APICRegister) -> UInt32 {
    get { access.read(register) }
    nonmutating set { access.write(newValue, to: register) }
  }

  /// Turns this core's controller on, with everything masked but NMIs at its inputs and the timer, which gets vector
  /// `timer`.
  package func enable(timer: UInt64, spurious: UInt64, usesDeadline: Bool, inputs: LocalInputs) {
    // From off to x2APIC it goes over xAPIC only (Intel SDM volume 3, §11.12.5).
    var base = access.readBase()
    if base & APICBase.isOn == 0 {
      base |= APICBase.isOn
      access.writeBase(base)
    }
    if access.mode == .registers, base & APICBase.isExtended == 0 { access.writeBase(base | APICBase.isExtended) }
    // First on, then the entries: while it is off, as after INIT, their mask bits cannot be cleared (§11.4.7.2).
    self[.spurious] = 1 << 8 | UInt32(truncatingIfNeeded: spurious)
    self[.taskPriority] = 0
    self[.line0Entry] = inputs.line0.rawValue
    self[.line1Entry] = inputs.line1.rawValue
    self[.errorEntry] = 1 << 16
    self[.timerDivide] = 0b1011
    self[.timerEntry] = UInt32(truncatingIfNeeded: timer) | (usesDeadline ? 1 << 18 : 0)
  }

  /// In the timer's entry: it counts again and again.
  package static var periodic: UInt32 { 1 << 17 }

  package func end() { self[.endOfInterrupt] = 0 }

  /// Has the controller tell the core once more of what is pending, before the core sleeps on it: QEMU 7.2's VMRUN sets
  /// a word that other threads change too, and can so lose an interrupt.
  package func restate() { self[.taskPriority] = 0 }

  /// Sends an interrupt to all other cores. Not an NMI: that would start a core that waits for its start-up message in
  /// QEMU.
  package func sendToOthers(_ vector: UInt64) { sendByShorthand(0xC_4000 | UInt32(truncatingIfNeeded: vector)) }

  /// Sends an interrupt to this core.
  package func sendToSelf(_ vector: UInt64) { sendByShorthand(0x4_4000 | UInt32(truncatingIfNeeded: vector)) }

  /// Sends `command` (bits 0-31 of ICR), which says itself to whom.
  private func sendByShorthand(_ command: UInt32) {
    if access.mode == .registers { access.writeCommand(UInt64(command)) } else { self[.commandLow] = command }
  }

  /// Sends `command` (bits 0-31 of ICR) to the core with this number; in xAPIC mode once the last one has gone, while
  /// the other form has no such state (Intel SDM volume 3, §11.12.9).
  package func send(_ command: UInt32, to number: UInt32) {
    if access.mode == .registers {
      access.writeCommand(UInt64(number) << 32 | UInt64(command))
      return
    }
    // Cut to 8 bits, the number would be another core's.
    guard number <= APICMode.memory.highestNumber else { return }
    var patience = 1_000_000
    while patience > 0, self[.commandLow] & 1 << 12 != 0 {
      access.pause()
      patience -= 1
    }
    self[.commandHigh] = number << 24
    self[.commandLow] = command
  }
}

/// What arrives at the two inputs of a local APIC that are not its own (Intel SDM volume 3, §11.5.1).
package struct LocalInputs: Equatable, Sendable {
  /// The entry of an input, LINT0 or LINT1.
  package enum Entry: Equatable, Sendable {
    case masked
    /// NMIs, which come with an edge whatever the entry says.
    case nmi(isActiveLow: Bool)

    var rawValue: UInt32 {
      switch self {
      case .masked: 1 << 16
      case .nmi(let isActiveLow): 4 << 8 | (isActiveLow ? 1 << 13 : 0)
      }
    }
  }

  package var line0: Entry
  package var line1: Entry

  package init(line0: Entry, line1: Entry) {
    self.line0 = line0
    self.line1 = line1
  }
}

extension LocalAPIC: Sendable where Access: Sendable {}
