// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// What a bridge passes on to the buses behind it (PCI Express 6.0, §7.5.1.3).
///
/// Where base lies above limit there is no window.
package struct BridgeWindows: Equatable, Sendable {
  package var memory: Range<UInt64> = 0..<0
  package var prefetchable: Range<UInt64> = 0..<0
  package var ports: Range<UInt64> = 0..<0
  /// Whether it passes on too what nobody else takes, as some bridges to conventional buses do (class 0604, interface 1).
  package var passesRest = false

  /// Class and interface of a bridge that passes on what nobody else takes.
  static var subtractiveClass: UInt32 { 0x06_0401 }

  package init() {}

  /// Whether all of a device's range is passed on; a prefetchable one may be in either window, others may not be where
  /// reads are made up.
  package func pass(_ base: BaseAddress) -> Bool {
    guard !passesRest else { return true }
    switch base.kind {
    case .io: return ports.holds(base)
    case .memory, .memory64: return memory.holds(base) || prefetchable.holds(base)
    case .none, .upperHalf, .malformed: return true
    }
  }
}

extension Range<UInt64> {
  fileprivate func holds(_ base: BaseAddress) -> Bool {
    base.address >= lowerBound && base.address < upperBound && base.size <= upperBound - base.address
  }
}

extension BridgeWindows {
  /// Reads the windows of the bridge at `bridge`.
  init<A: ConfigurationAccess>(of bridge: FunctionAddress, passesRest: Bool, in access: A) {
    self.passesRest = passesRest
    let io = access.read16(bridge, Register.ioWindow)
    let ioHigh = access.read32(bridge, Register.ioWindowHigh)
    let memory = access.read32(bridge, Register.memoryWindow)
    let prefetchable = access.read32(bridge, Register.prefetchableWindow)
    let baseHigh = access.read32(bridge, Register.prefetchableBaseHigh)
    let limitHigh = access.read32(bridge, Register.prefetchableLimitHigh)
    // Bits 4 to 7 of a byte are bits 12 to 15 of a port; 1 in the lowest says that the upper half is used (§7.5.1.3.6).
    let isWideIO = io & 0xf == 1
    ports = Self.window(
      base: UInt64(io & 0xf0) << 8 | (isWideIO ? UInt64(ioHigh & 0xffff) << 16 : 0),
      limit: UInt64(io >> 8 & 0xf0) << 8 | (isWideIO ? UInt64(ioHigh >> 16) << 16 : 0), unit: 4 * .KiB)
    // Bits 4 to 15 of a word are bits 20 to 31 of an address (§7.5.1.3.8).
    self.memory = Self.window(
      base: UInt64(memory & 0xfff0) << 16, limit: UInt64(memory & 0xfff0_0000), unit: 1 * .MiB)
    let isWide = prefetchable & 0xf == 1
    self.prefetchable = Self.window(
      base: UInt64(prefetchable & 0xfff0) << 16 | (isWide ? UInt64(baseHigh) << 32 : 0),
      limit: UInt64(prefetchable & 0xfff0_0000) | (isWide ? UInt64(limitHigh) << 32 : 0), unit: 1 * .MiB)
  }

  /// The limit is the last unit's address; `base` above it means none.
  private static func window(base: UInt64, limit: UInt64, unit: UInt64) -> Range<UInt64> {
    let (end, wraps) = limit.addingReportingOverflow(unit)
    return base <= limit && !wraps ? base..<end : 0..<0
  }
}
