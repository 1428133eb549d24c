// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import Bits

/// Where the configuration space of PCI buses lies in memory, as the MCFG says (PCI Firmware 3.3, §4.1.2).
package struct ConfigurationWindows: Sendable {
  package static var capacity: Int { 16 }

  private var windows: InlineArray<16, ConfigurationWindow> = InlineArray(repeating: ConfigurationWindow())
  package private(set) var count = 0

  /// The window `index`.
  package subscript(index: Int) -> ConfigurationWindow { windows[index] }

  /// Reads the MCFG: from 44 on entries of 16 bytes.
  package init<M: PhysicalMemory & ~Copyable>(
    _ tables: borrowing SystemTables, in memory: borrowing M
  ) throws(ACPIError) {
    let range = try tables.find(.mcfg, in: memory)
    guard let table = memory.bytes(at: range.start, count: range.size) else { throw ACPIError(.mcfg, .unreadable) }
    guard table.byteCount >= 44, (table.byteCount - 44) % 16 == 0 else { throw ACPIError(.mcfg, .badLength) }
    for offset in stride(from: 44, to: table.byteCount, by: 16) {
      guard count < Self.capacity else { throw ACPIError(.mcfg, .tooManyEntries) }
      guard let base = table.load(offset, as: UInt64.self), let segment = table.load(offset + 8, as: UInt16.self),
        let first = table.load(offset + 10, as: UInt8.self), let last = table.load(offset + 11, as: UInt8.self),
        first <= last
      else { throw ACPIError(.mcfg, .badEntry) }
      let window = ConfigurationWindow(base: PhysicalAddress(base), segment: segment, firstBus: first, lastBus: last)
      guard base != 0, base.isAligned(to: 1 * .MiB),
        fits(window.range.start.value, count: window.range.size, in: MemoryMap.end)
      else { throw ACPIError(.mcfg, .badAddress) }
      windows[count] = window
      count += 1
    }
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
}
