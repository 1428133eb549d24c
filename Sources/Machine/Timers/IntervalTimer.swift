// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The PC's 8254 and the bits of port 0x61 that belong to it.
///
/// Channel 0 is the timer interrupt, channel 1 was the memory refresh, channel 2 the speaker; the gates of the first
/// two are tied high, that of channel 2 is bit 0 of port 0x61. The rising edges of channel 0's output are counted,
/// however many pass between two calls; the owner turns them into interrupts.
package struct IntervalTimer: Sendable {
  /// Hertz of the counters' clock.
  package static var frequency: UInt64 { 1_193_182 }
  /// Nanoseconds after which port 0x61's refresh bit toggles: 18 ticks, as channel 1 was always programmed.
  private static var refreshPeriod: UInt64 { 15_086 }

  private static var rate: TickRate { TickRate(frequency: frequency) }

  private var channels: InlineArray<3, IntervalChannel> = [
    IntervalChannel(gate: true), IntervalChannel(gate: true), IntervalChannel(gate: false),
  ]
  /// Bits 0 to 3 of port 0x61.
  private var speaker: UInt8 = 0

  package init() {}

  /// Whether `port` is one of this device's.
  package static func owns(_ port: UInt16) -> Bool { (0x40...0x43).contains(port) || port == 0x61 }

  /// When channel 0's output will next rise.
  package var nextDeadline: UInt64? {
    guard let edge = channels[0].counter.nextEdge, edge >= 0 else { return nil }
    return Self.rate.time(ofTick: UInt64(edge))
  }

  /// Lets time pass. → how often channel 0's output rose since the last call
  package mutating func advance(to now: UInt64) -> UInt64 { channels[0].takeEdges(at: tick(now)) }

  /// Whether channel 0 rises again and again: then every tick counts, and the owner re-injects those it fell behind.
  package var isPeriodic: Bool { channels[0].counter.mode.isPeriodic }

  /// Channel 2's count in mode 0, by which a guest measures time; `nil` if there is none, or its gate is off.
  var measurement: TimerComparison.Measurement? {
    guard let count = channels[2].counter.countdown, count.start >= 0 else { return nil }
    guard let start = Self.rate.time(ofTick: UInt64(count.start)), let end = Self.rate.time(ofTick: UInt64(count.end))
    else { return nil }
    return TimerComparison.Measurement(start: start, end: end)
  }

  /// Reads a byte; the control word and ports that are not this device's read as ones.
  package mutating func read(port: UInt16, now: UInt64) -> UInt8 {
    switch port {
    case 0x40...0x42: channels[Int(port & 3)].read(at: tick(now))
    case 0x61:
      speaker
        | (now / Self.refreshPeriod & 1 != 0 ? 0x10 : 0)
        | (channels[2].counter.output(at: tick(now)) ? 0x20 : 0)
    default: 0xff
    }
  }

  /// Writes a byte.
  package mutating func write(port: UInt16, value: UInt8, now: UInt64) {
    switch port {
    case 0x40...0x42: channels[Int(port & 3)].write(value, at: tick(now))
    case 0x43: control(value, at: tick(now))
    case 0x61:
      speaker = value & 0x0f
      channels[2].setGate(value & 1 != 0, at: tick(now))
    default: break
    }
  }

  private func tick(_ now: UInt64) -> Int64 { Int64(truncatingIfNeeded: Self.rate.ticks(at: now)) }

  /// A control word; number 3 is the read-back command, whose bits are low for what to latch.
  private mutating func control(_ value: UInt8, at tick: Int64) {
    let number = Int(value >> 6)
    guard number == 3 else {
      channels[number].control(value, at: tick)
      return
    }
    for index in 0..<3 where value & (2 << UInt8(index)) != 0 {
      if value & 0x20 == 0 { channels[index].latchCount(at: tick) }
      if value & 0x10 == 0 { channels[index].latchStatus(at: tick) }
    }
  }
}
