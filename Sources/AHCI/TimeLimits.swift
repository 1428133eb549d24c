// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// How long the driver waits, in nanoseconds, and how often it tries.
package struct TimeLimits: Sendable {
  private static var millisecond: UInt64 { 1_000_000 }

  /// For the firmware to let the controller go, and for that while it says it is busy (AHCI 1.3.1, §10.6.3).
  package var handoff = 25 * millisecond
  package var busyHandoff = 2_000 * millisecond
  /// For a port's engines to stop (§10.1.2).
  package var stop = 500 * millisecond
  /// For the controller's reset (§10.4.3).
  package var hostReset = 1_000 * millisecond
  /// How long a port's reset is signalled: at least 1 ms (§10.4.2).
  package var resetHold = 2 * millisecond
  /// For a drive to show on the link.
  package var link = 1_000 * millisecond
  /// After which the first drive that shows is taken, where any will do.
  package var settle = 50 * millisecond
  /// For a drive to spin up and become ready.
  package var ready = 30_000 * millisecond
  /// For the driver's own commands.
  package var identify = 10_000 * millisecond
  /// For reads and writes.
  package var transfer = 15_000 * millisecond
  /// For everything else: a flush may take longer than 30 s (ACS-3, §7.10.2).
  package var upkeep = 60_000 * millisecond
  /// How often the driver looks for what raises no interrupt: a register's change, and the drive's in case its
  /// interrupt is lost.
  package var poll = 1 * millisecond
  package var slowPoll = 10 * millisecond
  /// How often a request is tried.
  package var tries: UInt8 = 3
  /// After how many vain attempts to bring a drive up the controller is reset, and after how many it is given up.
  package var strikesToHostReset = 3
  package var strikesToGiveUp = 6

  package init() {}
}
