// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Why a guest's request to share memory with the paravirtual interfaces was refused.
package enum ParavirtualError: Error, Equatable {
  /// The address is not aligned to 4 bytes, or reserved bits are set.
  case malformed
  /// The memory is not the guest's.
  case outsideMemory
}

/// What the clock says: at `tsc` of the guest's counter, `nanoseconds` had passed since the guest's time began, and
/// from there time goes on at (ticks << shift) · multiplier / 2³² nanoseconds.
package struct ClockReading: Equatable, Sendable {
  package var multiplier: UInt32
  package var shift: Int8
  /// The guest's time-stamp counter.
  package var tsc: UInt64
  package var nanoseconds: UInt64

  package init(multiplier: UInt32, shift: Int8, tsc: UInt64, nanoseconds: UInt64) {
    self.multiplier = multiplier
    self.shift = shift
    self.tsc = tsc
    self.nanoseconds = nanoseconds
  }
}

/// KVM's paravirtual clock (Linux, Documentation/virt/kvm/x86/msr.rst): the guest names a place, the VMM writes there
/// how its time-stamp counter becomes time, and the guest then tells time without an exit.
///
/// An odd version says that the record is being written, and a version that changed makes the guest read again.
/// The record is written while the vCPU stands still.
package struct ParavirtualClock: Equatable, Sendable {
  /// What the guest last wrote to the clock's register and was accepted; bit 0 is on.
  package private(set) var register: UInt64 = 0
  /// What the guest last wrote to the wall clock's register and was accepted.
  package private(set) var wallRegister: UInt64 = 0
  private var version: UInt32 = 0
  private var wallVersion: UInt32 = 0

  /// Bytes of pvclock_vcpu_time_info.
  private static var recordSize: UInt64 { 32 }
  /// Bytes of pvclock_wall_clock.
  private static var wallRecordSize: UInt64 { 12 }
  /// PVCLOCK_TSC_STABLE_BIT: the clock never goes back, on any vCPU.
  private static var isStable: UInt8 { 1 }

  package init() {}

  /// Whether the guest uses the clock.
  package var isOn: Bool { register & 1 != 0 }

  /// The guest writes the clock's register: the record goes there at once.
  package mutating func setRegister(
    _ value: UInt64, _ reading: ClockReading, in memory: GuestMemory
  ) throws(ParavirtualError) {
    if value & 1 != 0 {
      try Self.check(value, reserved: 2, count: Self.recordSize, in: memory)
      try write(reading, to: value, in: memory)
    }
    register = value
  }

  /// Writes the record anew, after the guest's time-stamp counter was moved.
  package mutating func refresh(_ reading: ClockReading, in memory: GuestMemory) throws(ParavirtualError) {
    guard isOn else { return }
    try write(reading, to: register, in: memory)
  }

  /// The guest writes the wall clock's register: the date at which its time began goes there.
  ///
  /// - Parameter start: seconds since 1970-01-01 00:00:00 UTC when the guest's nanoseconds were 0.
  package mutating func setWallRegister(
    _ value: UInt64, start: UInt64, in memory: GuestMemory
  ) throws(ParavirtualError) {
    try Self.check(value, reserved: 3, count: Self.wallRecordSize, in: memory)
    let place = GuestAddress(value)
    wallVersion &+= 1
    try Self.store(wallVersion, at: place, in: memory)
    try Self.store(UInt32(truncatingIfNeeded: start), at: place + 4, in: memory)
    try Self.store(UInt32(0), at: place + 8, in: memory)
    wallVersion &+= 1
    try Self.store(wallVersion, at: place, in: memory)
    wallRegister = value
  }

  private mutating func write(
    _ reading: ClockReading, to value: UInt64, in memory: GuestMemory
  ) throws(ParavirtualError) {
    let place = GuestAddress(value & ~3)
    version &+= 1
    try Self.store(version, at: place, in: memory)
    try Self.store(UInt32(0), at: place + 4, in: memory)
    try Self.store(reading.tsc, at: place + 8, in: memory)
    try Self.store(reading.nanoseconds, at: place + 16, in: memory)
    try Self.store(reading.multiplier, at: place + 24, in: memory)
    try Self.store(reading.shift, at: place + 28, in: memory)
    try Self.store(Self.isStable, at: place + 29, in: memory)
    try Self.store(UInt16(0), at: place + 30, in: memory)
    version &+= 1
    try Self.store(version, at: place, in: memory)
  }

  static func check(
    _ value: UInt64, reserved: UInt64, count: UInt64, in memory: GuestMemory
  ) throws(ParavirtualError) {
    guard value & reserved == 0 else { throw .malformed }
    guard memory.contains(GuestAddress(value & ~3), count: count) else { throw .outsideMemory }
  }

  private static func store<T: FixedWidthInteger & BitwiseCopyable>(
    _ value: T, at place: GuestAddress, in memory: GuestMemory
  ) throws(ParavirtualError) {
    do throws(GuestMemoryError) { try memory.write(value, at: place) } catch { throw .outsideMemory }
  }
}
