// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
package import Firmware
import PCI

/// Goes through all functions of all buses, in ascending order.
///
/// Every bus number is tried, not only those that a bridge on the way from bus 0 leads to: a machine has several roots,
/// and only AML would say where they begin.
package struct PCIScan {
  /// What the table of found functions has room for.
  package static var capacity: Int { 256 }

  private let windows: ConfigurationWindows?
  /// The window that is gone through, and the next function in it.
  private var window = 0
  private var next: UInt32 = 0
  /// Whether the device that is gone through has more than one function.
  private var isMultifunction = false
  /// Buses of this segment that are a link with one device, number 0.
  private var links: InlineArray<4, UInt64> = InlineArray(repeating: 0)

  /// A scan of all that the windows show; without any, of what the ports 0xCF8 and 0xCFC reach.
  package init(_ windows: ConfigurationWindows?) {
    self.windows = windows.flatMap { $0.count > 0 ? $0 : nil }
    next = first << 8
  }

  /// The next function; `nil` when there is no more.
  package mutating func next<A: ConfigurationAccess>(in access: A) -> PCIFunction? {
    next { PCIFunction(at: $0, in: access) }
  }

  /// Takes the bus from each function that firmware left as its master and that the machine does without; a device may be
  /// at work in memory that was firmware's a moment ago. Nothing else is changed, and each function is asked three times.
  /// - Returns: How many there were.
  package mutating func takeBus<A: ConfigurationAccess>(in access: A) -> Int {
    var count = 0
    while let function = next({ PCIFunction(headAt: $0, in: access) }) {
      guard function.canBeSilent, function.isMaster(in: access) else { continue }
      function.change(removing: .busMaster, in: access)
      count += 1
    }
    return count
  }

  private mutating func next(_ read: (FunctionAddress) -> PCIFunction?) -> PCIFunction? {
    while true {
      guard next < (last + 1) << 8 else {
        guard moveToNextWindow() else { return nil }
        continue
      }
      let address = FunctionAddress(segment: segment, requester: UInt16(truncatingIfNeeded: next))
      guard isWorthwhile(address) else {
        // To the next device, or over the whole bus.
        next = (next | (isOnLink(address.bus) || isTaken(address.bus) ? 0xff : 7)) + 1
        continue
      }
      let found = read(address)
      if address.function == 0 { isMultifunction = found?.isMultifunction ?? false }
      next += address.function == 0 && !isMultifunction ? 8 : 1
      guard var found else { continue }
      found.isMultifunction = isMultifunction
      note(found)
      return found
    }
  }

  // MARK: - Where it is

  private var segment: UInt16 { windows?[window].segment ?? 0 }
  private var first: UInt32 { UInt32(windows?[window].firstBus ?? 0) }
  private var last: UInt32 { UInt32(windows?[window].lastBus ?? 255) }

  private mutating func moveToNextWindow() -> Bool {
    guard let windows, window + 1 < windows.count else { return false }
    let old = segment
    window += 1
    next = first << 8
    if segment != old { links = InlineArray(repeating: 0) }
    return true
  }

  // MARK: - What is skipped

  private func isWorthwhile(_ address: FunctionAddress) -> Bool {
    !isTaken(address.bus) && !(isOnLink(address.bus) && address.device != 0)
  }

  /// Whether an earlier window already showed this bus.
  private func isTaken(_ bus: UInt8) -> Bool {
    guard let windows else { return false }
    for index in 0..<window where windows[index].segment == segment {
      if windows[index].firstBus <= bus, bus <= windows[index].lastBus { return true }
    }
    return false
  }

  /// Devices on a link of PCI Express may answer to every number (PCI Express 6.0, §7.3.1).
  private func isOnLink(_ bus: UInt8) -> Bool { links[Int(bus >> 6)] & 1 << UInt64(bus & 63) != 0 }

  private mutating func note(_ function: PCIFunction) {
    guard let bridge = function.bridge, bridge.secondary > function.address.bus,
      function.capabilities.express?.leadsToOneDevice == true
    else { return }
    links[Int(bridge.secondary >> 6)] |= 1 << UInt64(bridge.secondary & 63)
  }
}
