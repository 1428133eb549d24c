// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// SPEC_CTRL of one guest, on a processor that does not keep it by itself.
///
///     exits: reads and writes exit to the kernel ──► own: the register is the guest's while it runs,
///     what the guest wrote is within what the kernel  with no exit; switched at entry and exit
///     has, which stays in force; nothing is switched
///
/// A guest goes over for good, till its reset, when it first sets a bit that the kernel has not. So one that leaves the
/// register alone costs nothing, nor one that has enhanced IBRS set once; and one that writes it at each of its system
/// calls does so with no exit.
package struct GuestControl: Equatable, Sendable, BitwiseCopyable {
  /// What became of a write.
  package enum Outcome: Sendable {
    /// A bit that the processor has not: #GP.
    case refused
    case kept
    /// From now on the register is the guest's.
    case own
  }

  /// The bits that it may set.
  private let allowed: SpeculationControl
  /// What the kernel has in the register.
  private let host: SpeculationControl
  /// What it reads, as long as that exits; then what it wrote when the register became its own.
  package private(set) var value: SpeculationControl = .none
  /// Whether the register is its own.
  package private(set) var isOwn = false

  package init(allowed: SpeculationControl, host: SpeculationControl) {
    self.allowed = allowed
    self.host = host
  }

  /// No register, or none that the kernel keeps.
  package static var absent: Self { Self(allowed: .none, host: .none) }

  /// Whether a guest has the register.
  package var isThere: Bool { !allowed.isEmpty }

  /// As after a processor reset.
  package mutating func reset() {
    value = .none
    isOwn = false
  }

  /// The guest writes, and that exits.
  package mutating func write(_ word: UInt64) -> Outcome {
    let wanted = SpeculationControl(rawValue: word)
    guard allowed.contains(wanted) else { return .refused }
    value = wanted
    guard !host.contains(wanted) else { return .kept }
    isOwn = true
    return .own
  }
}
