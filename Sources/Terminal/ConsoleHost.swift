// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI

/// What the console needs of the system it runs on.
package protocol ConsoleHost {
  /// The time-stamp counter.
  var now: UInt64 { get }
  /// Ticks of it in a second.
  var frequency: UInt64 { get }
  /// Bytes that kernel and components use.
  var memoryOutsideGuests: UInt64 { get }
  /// What the kernel counts of domain `domain`.
  func status(of domain: UInt32) -> DomainStatus
  /// What switch `number` counts; a claim of the switch.
  func counters(ofSwitch number: Int) -> SwitchCounters
  /// What disk `number` counts; a claim of its server.
  func counters(ofDisk number: Int) -> DiskCounters
  /// The shared memory of VM `machine`: its two rings.
  func output(of machine: Int) -> ByteRing
  func input(of machine: Int) -> ByteRing
  /// The keys of VM `machine` beside its keyboard.
  func keys(of machine: Int) -> MachineKeys
  /// Tells the VMM of VM `machine` that its rings changed.
  mutating func signal(machine: Int)
  mutating func stop(domain: UInt32)
  mutating func restart(domain: UInt32)
  /// Wakes the console when the time-stamp counter reaches `tick`; 0 for never.
  mutating func setTimer(atTick tick: UInt64)
}
