// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI
package import Bits

/// How long each part of booting took, by the time-stamp counter, which begins at 0 when the power comes.
package struct BootPhases {
  private static var capacity: Int { 8 }

  private var names: InlineArray<8, StaticString> = InlineArray(repeating: "")
  private var ends: InlineArray<8, UInt64> = InlineArray(repeating: 0)
  private var count = 0

  package init() {}

  /// The phase that began with the end of the one before is over at `tsc`; more than eight are one with the last.
  package mutating func end(_ name: StaticString, at tsc: UInt64) {
    let place = min(count, Self.capacity - 1)
    names[place] = name
    ends[place] = tsc
    count = place + 1
  }

  /// Says all phases, and the time from power-on to the end of the last.
  package func say(_ scale: TimeScale, _ say: (LogLine) -> Void) {
    var list = ReportList("phases")
    var last: UInt64 = 0
    for index in 0..<count {
      let ticks = ends[index] >= last ? ends[index] - last : 0
      var item: LogLine = "\(names[index]) "
      item.append(milliseconds: scale.nanoseconds(ofTicks: ticks) / 1_000_000)
      if let line = list.add(item) { say(line) }
      last = ends[index]
    }
    var total: LogLine = "ready "
    total.append(milliseconds: scale.nanoseconds(ofTicks: last) / 1_000_000)
    total.append(" after power-on")
    if let line = list.add(total) { say(line) }
    if let line = list.end() { say(line) }
  }
}

extension LogLine {
  /// Adds a time as 12 ms, or as 1.23 s from a second on.
  fileprivate mutating func append(milliseconds: UInt64) {
    guard milliseconds >= 1000 else {
      append(magnitude: milliseconds, radix: 10)
      append(" ms")
      return
    }
    append(magnitude: milliseconds / 1000, radix: 10)
    append(".")
    append(magnitude: milliseconds % 1000 / 10, radix: 10, width: 2)
    append(" s")
  }
}
