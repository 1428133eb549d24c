// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A message from one processor's local APIC to others (Intel SDM volume 3, §11.6).
package struct InterprocessorInterrupt: Equatable, Sendable {
  package enum Target: Equatable, Sendable {
    case allOthers
    /// Those whose `LocalAPIC.accepts` says so, but not the sender.
    case matching(destination: UInt32, isLogical: Bool)
  }

  package var mode: DeliveryMode
  package var vector: UInt8
  package var target: Target
}

extension LocalAPIC {
  /// A message arrives, from another processor, the IOAPIC or a device; whether it is for this APIC the sender has
  /// asked `accepts`.
  ///
  /// INIT, startup, SMI and ExtINT are the owner's to act on, and do nothing here.
  package mutating func receive(_ mode: DeliveryMode, vector: UInt8, trigger: Trigger) {
    switch mode {
    case .fixed, .lowestPriority: raise(vector: vector, trigger: trigger)
    case .nonMaskable: hasNMI = true
    default: break
    }
  }

  /// Whether a message with this destination is for this APIC (§11.6.2).
  package func accepts(destination: UInt32, isLogical: Bool) -> Bool {
    // Broadcasts: of 32 bits in x2APIC mode, of 8 by all others.
    if destination == 0xff || destination == 0xffff_ffff { return true }
    guard isLogical else { return destination == identity }
    if isExtended {
      return destination >> 16 == identity >> 4 && destination & 1 << (identity & 15) != 0
    }
    let own = logicalDestination >> 24
    // Model 0 is the cluster model: an address of four bits and a set of four.
    guard destinationFormat >> 28 == 0 else { return destination & own != 0 }
    let cluster = destination >> 4 & 0xf
    return (cluster == 0xf || cluster == own >> 4) && destination & own & 0xf != 0
  }

  /// ICR was written: sends, and does at once what concerns this processor.
  mutating func send(_ command: Command, destination: UInt32) -> Effect {
    guard let mode = command.mode, mode != .external else { return .none }
    let isFixed = mode == .fixed || mode == .lowestPriority
    guard !isFixed || command.vector >= 16 else {
      record(.sendIllegalVector)
      return .none
    }
    // INIT level de-assert means nothing to processors of this century.
    if mode == .initialise, command.contains(.levelTriggered), !command.contains(.assert) { return .none }

    let isLogical = command.contains(.logical)
    let shorthand = command.shorthand
    let isForSelf =
      shorthand == .toSelf || shorthand == .all
      || (shorthand == .none && accepts(destination: destination, isLogical: isLogical))
    if isForSelf { receive(mode, vector: command.vector, trigger: .edge) }

    switch shorthand {
    case .toSelf: return .none
    case .all, .allButSelf:
      return .interprocessor(InterprocessorInterrupt(mode: mode, vector: command.vector, target: .allOthers))
    case .none:
      // One receiver is enough for lowest priority, and a physical identity has but one.
      let isDone = isForSelf && (mode == .lowestPriority || (!isLogical && destination == identity))
      if isDone, isFixed || mode == .nonMaskable { return .none }
      return .interprocessor(
        InterprocessorInterrupt(
          mode: mode, vector: command.vector, target: .matching(destination: destination, isLogical: isLogical)))
    }
  }
}
