// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import PCI

/// What the unit refused, from its registers (VT-d 4.1, §7.2.1, §11.4.14).
extension IntelUnit {
  /// The next refused request that was recorded; its record is free again.
  func nextFault<H: RemappingHost & ~Copyable>(_ host: borrowing H) -> DMAFault? {
    let status = host.read(.faultStatus, of: registers)
    guard status.intersects(.overflow | .pending) else { return nil }
    for step in 0..<capabilities.faultCount {
      let index = (status.firstRecord + step) % capabilities.faultCount
      let place = registers + capabilities.faultOffset + UInt64(index) * 16
      let high = host.readRegister(place + 8, width: 8)
      guard high >> 63 != 0 else { continue }
      let low = host.readRegister(place, width: 8)
      // A one clears the record (bit 127).
      host.writeRegister(1 << 31, at: place + 12, width: 4)
      return DMAFault(segment: segment, low, high)
    }
    guard status.contains(.overflow) else { return nil }
    host.write(.overflow, to: .faultStatus, of: registers)
    return DMAFault(source: nil, address: 0, isWrite: false, reason: .unrecorded, code: 0)
  }

  /// Sends this message when something was refused; it is not remapped (§7.3).
  func setFaultMessage<H: RemappingHost & ~Copyable>(_ message: InterruptMessage, _ host: borrowing H) {
    host.write(.masked, to: .faultControl, of: registers)
    host.write(PlainHalf(rawValue: message.data), to: .faultData, of: registers)
    host.write(PlainHalf(rawValue: UInt32(truncatingIfNeeded: message.address)), to: .faultAddress, of: registers)
    let high = UInt32(truncatingIfNeeded: message.address >> 32)
    host.write(PlainHalf(rawValue: high), to: .faultAddressHigh, of: registers)
    host.write(.none, to: .faultControl, of: registers)
  }

  /// Whether the message is sent; one that was held back meanwhile is, too (§11.4.9: IP).
  func signalFaults<H: RemappingHost & ~Copyable>(_ isOn: Bool, _ host: borrowing H) {
    host.write(isOn ? .none : .masked, to: .faultControl, of: registers)
  }

  /// Frees all records, and sends no messages.
  func forgetFaults<H: RemappingHost & ~Copyable>(_ host: borrowing H) {
    host.write(.masked, to: .faultControl, of: registers)
    for index in 0..<capabilities.faultCount {
      let place = registers + capabilities.faultOffset + UInt64(index) * 16 + 12
      host.writeRegister(1 << 31, at: place, width: 4)
    }
    host.write(.overflow | .queueErrors, to: .faultStatus, of: registers)
  }
}

extension DMAFault {
  /// A fault record: the page in the lower half; in the upper the sender, the reason in bits 32 to 39, and whether it was
  /// a read in bit 62.
  init(segment: UInt16, _ low: UInt64, _ high: UInt64) {
    source = FunctionAddress(segment: segment, requester: UInt16(truncatingIfNeeded: high))
    code = UInt8(truncatingIfNeeded: high >> 32)
    // Of interrupts the record keeps the index, no address.
    let isInterrupt = (0x20...0x2f).contains(code)
    address = isInterrupt ? 0 : low & ~0xfff
    isWrite = high & 1 << 62 == 0
    reason = Self.reason(intel: code)
  }

  /// §7.2.1, tables 25 and 26
  private static func reason(intel code: UInt8) -> Reason {
    switch code {
    case 0x01, 0x02: .notAttached
    case 0x04: .outOfReach
    case 0x05, 0x06: .notMapped
    case 0x03, 0x07...0x0c: .badTables
    case 0x20...0x2f: .badInterrupt
    default: .badRequest
    }
  }
}
