// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Where the configuration space of PCI buses lies in memory, as the MCFG says (PCI Firmware 3.3, §4.1.2): one window or
/// several for each segment.
package struct ConfigurationWindows: Sendable {
  package static var capacity: Int { 16 }

  private var windows: InlineArray<16, ConfigurationWindow> = InlineArray(repeating: ConfigurationWindow())
  package private(set) var count = 0
  /// Windows that cannot be, that lie over others, or for which there is no room: their buses are not seen.
  package private(set) var ignored = 0

  /// The window `index`.
  package subscript(index: Int) -> ConfigurationWindow { windows[index] }

  /// Reads the MCFG: from 44 on entries of 16 bytes.
  package init<M: PhysicalMemory & ~Copyable>(
    _ tables: borrowing SystemTables, in memory: borrowing M
  ) throws(ACPIError) {
    let range = try tables.find(.mcfg, in: memory)
    guard let table = memory.bytes(at: range.start, count: range.size) else { throw ACPIError(.mcfg, .unreadable) }
    guard table.byteCount >= 44 + 16 else { throw ACPIError(.mcfg, .badLength) }
    // What is behind the last whole entry is none.
    for index in 0..<(table.byteCount - 44) / 16 {
      guard let entry = table.slice(44 + 16 * index, count: 16), let window = ConfigurationWindow(entry) else {
        ignored += 1
        continue
      }
      add(window)
    }
    guard count > 0 else { throw ACPIError(.mcfg, .badEntry) }
  }

  /// Adds a window. One that shares memory with another, unless both say the same of it, would show a function under two
  /// addresses, and two VMs could have it.
  private mutating func add(_ window: ConfigurationWindow) {
    for index in 0..<count where windows[index].range.overlaps(window.range) {
      guard windows[index].segment != window.segment || windows[index].base != window.base else { continue }
      ignored += 1
      return
    }
    guard count < Self.capacity else {
      ignored += 1
      return
    }
    windows[count] = window
    count += 1
  }

  /// Those whose memory ends below `limit`; `nil` if there is none.
  package func reachable(below limit: UInt64) -> ConfigurationWindows? {
    var result = self
    result.count = 0
    for index in 0..<count {
      guard fits(windows[index].range.start.value, count: windows[index].range.size, in: limit) else {
        result.ignored += 1
        continue
      }
      result.windows[result.count] = windows[index]
      result.count += 1
    }
    return result.count > 0 ? result : nil
  }

  /// Whether one of them shows buses of this segment.
  package func shows(segment: UInt16) -> Bool {
    for index in 0..<count where windows[index].segment == segment { return true }
    return false
  }
}

/// The configuration space of some buses: 1 MiB a bus.
package struct ConfigurationWindow: Equatable, Sendable, BitwiseCopyable {
  /// Where bus 0 is or would be.
  package var base = PhysicalAddress(0)
  package var segment: UInt16 = 0
  package var firstBus: UInt8 = 0
  package var lastBus: UInt8 = 0

  /// The memory of the window's own buses.
  package var range: PhysicalRange {
    PhysicalRange(
      start: base + UInt64(firstBus) * .MiB, size: (UInt64(lastBus) &- UInt64(firstBus) &+ 1) &* .MiB)
  }

  package init() {}

  /// An entry of the MCFG: base, segment, first and last bus; `nil` if that cannot be.
  init?(_ entry: RawSpan) {
    guard let base = entry.load(0, as: UInt64.self), let segment = entry.load(8, as: UInt16.self),
      let first = entry.load(10, as: UInt8.self), let last = entry.load(11, as: UInt8.self), first <= last, base != 0,
      base.isAligned(to: 1 * .MiB)
    else { return nil }
    self.base = PhysicalAddress(base)
    self.segment = segment
    firstBus = first
    lastBus = last
    // The sum may wrap, and is then below the base.
    guard range.start >= self.base, fits(range.start.value, count: range.size, in: MemoryMap.end) else { return nil }
  }
}
