// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a computer must have to run a system.
package struct Requirements: Equatable, Sendable {
  package var cores: Int
  /// Bytes of all guests together.
  package var guestMemory: UInt64
  /// Bytes of the whole computer: as the description says, otherwise enough.
  package var memory: UInt64
}

extension System {
  /// What a computer, or an emulator, must have to run this.
  package var requirements: Requirements {
    let guests = machines.reduce(0) { $0 + $1.memory }
    let cores = (machines.map(\.core) + switches.map(\.core) + disks.map(\.core)).reduce(1) { max($0, $1 + 1) }
    return Requirements(
      cores: declaredCores ?? cores, guestMemory: guests, memory: declaredMemory ?? sufficientMemory(for: guests))
  }

  /// Enough for the guests however the computer's memory lies.
  ///
  /// A PC with more than 2 GiB has a hole for devices in it, and a guest's memory is contiguous: at worst, as much as
  /// the largest guest stays unused below the hole.
  private func sufficientMemory(for guests: UInt64) -> UInt64 {
    let needed = guests + Limits.reserve
    guard needed > 2 * .GiB else { return needed.roundedUp(to: 64 * .MiB) ?? needed }
    let largest = machines.reduce(0) { max($0, $1.memory) }
    let safe = needed + min(largest, 2 * .GiB)
    return safe.roundedUp(to: 256 * .MiB) ?? safe
  }
}
