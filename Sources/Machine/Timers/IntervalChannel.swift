// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// One channel of an 8254: a counter behind the byte-wide bus, with its latches (Intel 8254 data sheet,
/// "Programming the 8254").
struct IntervalChannel: Sendable {
  /// Which bytes of a count cross the bus: the control word's bits 4 and 5.
  private enum Width: UInt8 {
    case low = 1, high, both
  }

  private(set) var counter: IntervalCounter
  private var width = Width.both
  /// The first byte of a count, when the second is to come.
  private var firstWritten: UInt8?
  /// Whether the next byte read is the second of a count.
  private var readsHigh = false
  private var latchedCount: UInt16?
  private var latchedStatus: UInt8?

  init(gate: Bool) { counter = IntervalCounter(gate: gate) }

  /// A control word for this channel; access bits 00 latch the count.
  mutating func control(_ value: UInt8, at tick: Int64) {
    guard let width = Width(rawValue: value.bits(4, count: 2)) else {
      latchCount(at: tick)
      return
    }
    self.width = width
    firstWritten = nil
    readsHigh = false
    latchedCount = nil
    latchedStatus = nil
    counter.program(mode: IntervalCounter.Mode(bits: value >> 1), isDecimal: value & 1 != 0, at: tick)
  }

  /// Holds the count until it is read; a second latch before that changes nothing.
  mutating func latchCount(at tick: Int64) {
    if latchedCount == nil { latchedCount = counter.value(at: tick) }
  }

  /// Holds the status until it is read: output, null count, and the control word as written.
  mutating func latchStatus(at tick: Int64) {
    guard latchedStatus == nil else { return }
    var status = width.rawValue << 4 | counter.mode.rawValue << 1 | (counter.isDecimal ? 1 : 0)
    if counter.output(at: tick) { status |= 0x80 }
    if counter.isLoadPending(at: tick) { status |= 0x40 }
    latchedStatus = status
  }

  mutating func write(_ value: UInt8, at tick: Int64) {
    switch (width, firstWritten) {
    case (.low, _): counter.load(UInt16(value), at: tick)
    case (.high, _): counter.load(UInt16(value) << 8, at: tick)
    case (.both, nil):
      firstWritten = value
      counter.expectCount(at: tick)
    case (.both, .some(let first)):
      firstWritten = nil
      counter.load(UInt16(value) << 8 | UInt16(first), at: tick)
    }
  }

  /// A latched status comes first, then a latched count, else the running count.
  mutating func read(at tick: Int64) -> UInt8 {
    if let status = latchedStatus {
      latchedStatus = nil
      return status
    }
    let count = latchedCount ?? counter.value(at: tick)
    let isHigh = width == .high || (width == .both && readsHigh)
    if width == .both { readsHigh.toggle() }
    if width != .both || isHigh { latchedCount = nil }
    return UInt8(truncatingIfNeeded: isHigh ? count >> 8 : count)
  }

  mutating func setGate(_ isHigh: Bool, at tick: Int64) { counter.setGate(isHigh, at: tick) }

  mutating func takeEdges(at tick: Int64) -> UInt64 { counter.takeEdges(at: tick) }
}
