// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// While the clock runs, its time is `current`, a count of seconds, and its registers are worked out when they are
// read. While it is held (SET in register B, or the divider in reset) time stands still and the registers are bytes
// in `memory`, as whoever sets the clock writes them. The second begins anew 500 ms after the divider's reset ends
// (MC146818A data sheet, "Divider control"); letting go of SET alone keeps the beginning of the second.
//
//   running ── SET, or divider reset ──► held (registers filled from the time)
//   held ── both let go ──► running (time worked out from the registers)

/// The PC's real-time clock and CMOS memory: an MC146818A with a century byte.
///
/// The day of the week always follows from the date.
package struct RealTimeClock: Sendable {
  private static var second: UInt64 { TickRate.nanosecondsPerSecond }
  /// Nanoseconds before an update in which UIP is set: who reads it clear has this long to read a whole time.
  private static var updateWarning: UInt64 { 244_000 }
  /// The last stage of the divider that the periodic interrupt can tap.
  private static var crystal: TickRate { TickRate(frequency: 32_768) }

  var memory: InlineArray<128, UInt8> = InlineArray(repeating: 0)
  private var index = 0
  var causes = Causes.none
  /// Seconds since 1970 until `boundary`, while the clock runs.
  private(set) var current: Int64
  /// When the next second begins.
  private(set) var boundary = RealTimeClock.second
  /// When the divider began to count, and the periods of the periodic interrupt that it has reported since.
  private var dividerStart: UInt64 = 0
  private var periods: UInt64 = 0
  /// Periodic interrupts that came while the one before was not acknowledged.
  package private(set) var missedPeriods: UInt64 = 0

  /// A clock that says `unixTime` (seconds since 1970-01-01 00:00:00) at `now` = 0, and the memory sizes in bytes,
  /// from address 0 and from 4 GiB.
  package init(unixTime: UInt64, lowMemory: UInt64, highMemory: UInt64 = 0) {
    current = Int64(unixTime & 0xff_ffff_ffff)
    memory[Register.a] = 0x26
    memory[Register.b] = ControlB.hours24.rawValue
    storeSizes(lowMemory: lowMemory, highMemory: highMemory)
  }

  /// Whether `port` is one of this device's.
  package static func owns(_ port: UInt16) -> Bool { port == 0x70 || port == 0x71 }

  /// The level of IRQ 8.
  package var interruptLine: Bool { causes.rawValue & controlB.rawValue & ControlB.interrupts.rawValue != 0 }

  var controlA: ControlA { ControlA(rawValue: memory[Register.a]) }
  var controlB: ControlB { ControlB(rawValue: memory[Register.b]) }

  private var isHeld: Bool { controlB.contains(.set) || !controlA.isDividerRunning }

  // MARK: - The bus

  /// Reads a byte; the index register and ports that are not this device's read as ones.
  package mutating func read(port: UInt16, now: UInt64) -> UInt8 {
    guard port == 0x71 else { return 0xff }
    advance(to: now)
    switch index {
    case Register.a: return (controlA.rawValue | (isUpdating(now) ? ControlA.updateInProgress.rawValue : 0))
    case Register.c:
      let value = causes.rawValue | (interruptLine ? Causes.interrupt.rawValue : 0)
      causes = .none
      return value
    // VRT: the battery is good.
    case Register.d: return 0x80
    default: return isHeld ? memory[index] : timeRegister(index, CalendarTime(seconds: current)) ?? memory[index]
    }
  }

  /// Writes a byte.
  package mutating func write(port: UInt16, value: UInt8, now: UInt64) {
    if port == 0x70 { index = Int(value & 0x7f) }
    guard port == 0x71 else { return }
    advance(to: now)
    switch index {
    case Register.a: control(a: ControlA(rawValue: value) & .written, b: controlB, now: now)
    case Register.b: control(a: controlA, b: ControlB(rawValue: value), now: now)
    case Register.c, Register.d: break
    default:
      let isTime = !isHeld && timeRegister(index, CalendarTime(seconds: current)) != nil
      if isTime { storeTime(CalendarTime(seconds: current)) }
      memory[index] = value
      if isTime { current = storedTime.seconds }
    }
  }

  private func isUpdating(_ now: UInt64) -> Bool {
    !isHeld && boundary > now && boundary - now <= Self.updateWarning
  }

  private mutating func control(a: ControlA, b: ControlB, now: UInt64) {
    let wasHeld = isHeld
    let wasRunning = controlA.isDividerRunning
    var b = b
    // SET going high takes UIE with it (data sheet, "SET").
    if b.contains(.set), !controlB.contains(.set) { b.remove(.updateInterrupt) }
    let time = CalendarTime(seconds: current)
    if !wasHeld, b.contains(.set) || !a.isDividerRunning { storeTime(time) }
    memory[Register.a] = a.rawValue
    memory[Register.b] = b.rawValue
    if !wasRunning, a.isDividerRunning {
      dividerStart = now
      boundary = Self.sum(now, Self.second / 2)
    }
    periods = periodCount(at: now)
    guard wasHeld, !isHeld else { return }
    current = storedTime.seconds
    if boundary <= now { boundary = Self.sum(boundary, ((now - boundary) / Self.second + 1) &* Self.second) }
  }

  private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }

  // MARK: - Time

  /// When `interruptLine` may next rise by itself.
  package var nextDeadline: UInt64? {
    let wanted = ControlB(rawValue: controlB.rawValue & ControlB.interrupts.rawValue & ~causes.rawValue)
    var deadline = UInt64.max
    if wanted.contains(.updateInterrupt), !isHeld { deadline = boundary }
    if wanted.contains(.alarmInterrupt), !isHeld, let delay = alarm.delay(after: secondOfDay) {
      deadline = min(deadline, Self.sum(boundary, UInt64(delay - 1) &* Self.second))
    }
    if wanted.contains(.periodInterrupt), let period = periodTicks,
      let time = Self.crystal.time(ofTick: (periods &+ 1) &* period)
    {
      deadline = min(deadline, Self.sum(dividerStart, time))
    }
    return deadline == .max ? nil : deadline
  }

  /// Lets time pass.
  package mutating func advance(to now: UInt64) {
    if !isHeld, now >= boundary {
      let updates = (now - boundary) / Self.second &+ 1
      causes.insert(.update)
      if let delay = alarm.delay(after: secondOfDay), UInt64(delay) <= updates { causes.insert(.alarm) }
      current &+= Int64(truncatingIfNeeded: updates)
      boundary = Self.sum(boundary, updates &* Self.second)
    }
    let passed = periodCount(at: now)
    guard passed > periods else { return }
    let isPending = causes.contains(.period)
    if controlB.contains(.periodInterrupt) { missedPeriods &+= passed - periods - (isPending ? 0 : 1) }
    causes.insert(.period)
    periods = passed
  }

  private var secondOfDay: Int64 {
    let time = CalendarTime(seconds: current)
    return time.hour * 3600 + time.minute * 60 + time.second
  }

  /// Crystal ticks of a period; rates 1 and 2 are those of 8 and 9 (data sheet, "Periodic interrupt rate").
  private var periodTicks: UInt64? {
    let rate = UInt64(controlA.rate)
    guard rate != 0, controlA.isDividerRunning else { return nil }
    return 1 << (rate <= 2 ? rate + 6 : rate - 1)
  }

  private func periodCount(at now: UInt64) -> UInt64 {
    guard let period = periodTicks, now >= dividerStart else { return 0 }
    return Self.crystal.ticks(at: now - dividerStart) / period
  }
}
