// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

extension RealTimeClock {
  /// What a register of the time holds at `time`; `nil` for all other registers.
  func timeRegister(_ index: Int, _ time: CalendarTime) -> UInt8? {
    switch index {
    case Register.seconds: encoded(time.second)
    case Register.minutes: encoded(time.minute)
    case Register.hours: encodedHour(time.hour)
    case Register.weekday: encoded(time.weekday)
    case Register.day: encoded(time.day)
    case Register.month: encoded(time.month)
    case Register.year: encoded(time.year % 100)
    case Register.century: encoded(time.year / 100 % 100)
    default: nil
    }
  }

  /// Fills the registers of the time.
  mutating func storeTime(_ time: CalendarTime) {
    for index in 0..<memory.count {
      if let value = timeRegister(index, time) { memory[index] = value }
    }
  }

  /// The time that the registers say.
  var storedTime: CalendarTime {
    CalendarTime(
      second: decoded(memory[Register.seconds]), minute: decoded(memory[Register.minutes]),
      hour: decodedHour(memory[Register.hours]), day: decoded(memory[Register.day]),
      month: decoded(memory[Register.month]),
      year: decoded(memory[Register.century]) * 100 + decoded(memory[Register.year]))
  }

  /// The alarm; bytes from 0xC0 on match always (MC146818A data sheet, "Time, calendar and alarm locations").
  var alarm: AlarmTime {
    let second = memory[Register.secondsAlarm]
    let minute = memory[Register.minutesAlarm]
    let hour = memory[Register.hoursAlarm]
    return AlarmTime(
      second: second >= 0xc0 ? nil : decoded(second), minute: minute >= 0xc0 ? nil : decoded(minute),
      hour: hour >= 0xc0 ? nil : decodedHour(hour))
  }

  /// Leaves the memory sizes where a PC's firmware does, and the sum over them.
  mutating func storeSizes(lowMemory: UInt64, highMemory: UInt64) {
    // An FPU, and nothing else that this byte knows.
    memory[Register.equipment] = 0x02
    store(640, at: Register.baseMemory)
    let extended = min((max(lowMemory, .MiB) - .MiB) / .KiB, 0xffff)
    store(extended, at: Register.extendedMemory)
    store(extended, at: Register.extendedMemory2)
    store(min((max(lowMemory, 16 * .MiB) - 16 * .MiB) / (64 * .KiB), 0xffff), at: Register.memoryAbove16M)
    let above4G = min(highMemory / (64 * .KiB), 0xff_ffff)
    store(above4G & 0xffff, at: Register.memoryAbove4G)
    memory[Register.memoryAbove4G + 2] = UInt8(truncatingIfNeeded: above4G >> 16)

    var sum: UInt16 = 0
    for index in 0x10..<Register.checksum { sum &+= UInt16(memory[index]) }
    memory[Register.checksum] = UInt8(truncatingIfNeeded: sum >> 8)
    memory[Register.checksum + 1] = UInt8(truncatingIfNeeded: sum)
  }

  private mutating func store(_ value: UInt64, at index: Int) {
    memory[index] = UInt8(truncatingIfNeeded: value)
    memory[index + 1] = UInt8(truncatingIfNeeded: value >> 8)
  }

  private func encoded(_ value: Int64) -> UInt8 {
    UInt8(truncatingIfNeeded: controlB.contains(.binary) ? value : value / 10 * 16 + value % 10)
  }

  private func encodedHour(_ hour: Int64) -> UInt8 {
    guard !controlB.contains(.hours24) else { return encoded(hour) }
    return encoded((hour + 11) % 12 + 1) | (hour >= 12 ? 0x80 : 0)
  }

  private func decoded(_ byte: UInt8) -> Int64 {
    controlB.contains(.binary) ? Int64(byte) : Int64(byte >> 4) * 10 + Int64(byte & 0xf)
  }

  private func decodedHour(_ byte: UInt8) -> Int64 {
    guard !controlB.contains(.hours24) else { return decoded(byte) }
    return decoded(byte & 0x7f) % 12 + (byte & 0x80 != 0 ? 12 : 0)
  }
}
