// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The timer (Intel SDM volume 3, §11.5.4), which counts nanoseconds: its bus clock runs at 1 GHz.
extension LocalAPIC {
  /// Hertz of the timer's clock, before the divider.
  package static var timerFrequency: UInt64 { TickRate.nanosecondsPerSecond }

  /// One-shot and periodic mode; TSC-deadline mode is the owner's, as it knows the guest's time-stamp counter.
  struct Timer: Sendable {
    var initialCount: UInt32 = 0
    /// DCR.
    var divide: UInt32 = 0
    /// When the count reaches zero; `nil` while it stands still.
    var expiry: UInt64?

    /// DCR's bits 0, 1 and 3 are a power of two less one; seven is for no division.
    var divisor: UInt64 { 1 << UInt64(((divide & 3 | divide >> 1 & 4) + 1) & 7) }
    var period: UInt64 { UInt64(initialCount) &* divisor }

    /// The current count, for a time that is not beyond `expiry`.
    func count(at now: UInt64) -> UInt32 {
      guard let expiry, expiry > now else { return 0 }
      return UInt32(truncatingIfNeeded: (expiry - now - 1) / divisor + 1)
    }

    /// Counts down from `count`.
    mutating func start(_ count: UInt32, at now: UInt64) {
      let (sum, overflow) = now.addingReportingOverflow(UInt64(count) &* divisor)
      expiry = count == 0 || overflow ? nil : sum
    }
  }

  private var timerEntry: LocalVector { localTable.timer }

  /// When the timer will interrupt; while its entry is masked, never.
  package var nextDeadline: UInt64? { timerEntry.isMasked ? nil : timer.expiry }

  /// Lets time pass.
  @inline(__always)
  package mutating func advance(to now: UInt64) {
    guard let expiry = timer.expiry, expiry <= now else { return }
    guard timerEntry.timerMode == .periodic, timer.period != 0 else {
      timer.expiry = nil
      deliverTicks(1)
      return
    }
    let passed = (now - expiry) / timer.period
    let (next, overflow) = expiry.addingReportingOverflow((passed &+ 1) &* timer.period)
    timer.expiry = overflow ? nil : next
    deliverTicks(passed &+ 1)
  }

  /// The guest's time-stamp counter has reached `tscDeadline`.
  package mutating func tscDeadlineReached() {
    guard tscDeadline != nil else { return }
    tscDeadline = nil
    deliverTicks(1)
  }

  @inline(__always)
  private mutating func deliverTicks(_ count: UInt64) {
    let entry = timerEntry
    guard count > 0, !entry.isMasked, isEnabled else { return }
    guard requests.contains(entry.vector) else {
      signal(.timer)
      timerBacklog &+= count - 1
      return
    }
    if entry.timerMode == .periodic { timerBacklog &+= count }
  }

  /// Delivers one of the ticks that waited for the end of `vector`.
  mutating func deliverBacklog(after vector: UInt8) {
    guard timerBacklog > 0, timerEntry.vector == vector, !requests.contains(vector) else { return }
    timerBacklog -= 1
    signal(.timer)
  }

  // MARK: - Registers

  /// The timer's entry of the local vector table was written. Into and out of TSC-deadline mode the timer is
  /// disarmed (§11.5.4.1); a masked timer owes nothing.
  mutating func timerEntryChanged(from old: LocalVector) {
    let new = timerEntry
    if new.isMasked || new.timerMode != .periodic { timerBacklog = 0 }
    guard (old.timerMode == .tscDeadline) != (new.timerMode == .tscDeadline) else { return }
    timer.expiry = nil
    timer.initialCount = 0
    tscDeadline = nil
  }

  mutating func writeInitialCount(_ value: UInt32, now: UInt64) {
    guard timerEntry.timerMode != .tscDeadline else { return }
    timer.initialCount = value
    timer.start(value, at: now)
    timerBacklog = 0
  }

  /// The count goes on from where it is, at the new pace.
  mutating func writeDivide(_ value: UInt32, now: UInt64) {
    let count = timer.count(at: now)
    timer.divide = value & 0xb
    timer.start(count, at: now)
  }

  /// IA32_TSC_DEADLINE: zero disarms; in other modes writes do nothing (§11.5.4.1).
  mutating func writeTSCDeadline(_ value: UInt64) {
    guard timerEntry.timerMode == .tscDeadline else { return }
    tscDeadline = value == 0 ? nil : value
  }
}
