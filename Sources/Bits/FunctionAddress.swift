// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Where a PCI function is: segment, bus, device and function, as in `0000:66:00.0`.
///
/// Any bits are an address; whether a function is there is another question.
package struct FunctionAddress: Equatable, Sendable, BitwiseCopyable {
  package var segment: UInt16
  /// Bus, device and function as requests on the bus carry them: 8, 5 and 3 bits (PCI Express 6.0, §2.2.6.2).
  package var requester: UInt16

  package init(segment: UInt16 = 0, requester: UInt16) {
    self.segment = segment
    self.requester = requester
  }

  /// The function `function` (0 to 7) of device `device` (0 to 31); bits beyond are dropped.
  package init(segment: UInt16 = 0, bus: UInt8, device: UInt8, function: UInt8) {
    self.segment = segment
    requester = UInt16(bus) << 8 | UInt16(device & 31) << 3 | UInt16(function & 7)
  }

  package var bus: UInt8 { UInt8(truncatingIfNeeded: requester >> 8) }
  package var device: UInt8 { UInt8(truncatingIfNeeded: requester.bits(3, count: 5)) }
  package var function: UInt8 { UInt8(truncatingIfNeeded: requester & 7) }

  /// Whether both are functions of one device.
  package func isSameDevice(as other: Self) -> Bool {
    segment == other.segment && requester >> 3 == other.requester >> 3
  }
}

extension LogLine {
  /// A function's address as people write it; the segment only where it is not 0.
  package mutating func appendInterpolation(_ address: FunctionAddress) {
    if address.segment != 0 {
      append(magnitude: UInt64(address.segment), radix: 16, width: 4)
      append(":")
    }
    append(magnitude: UInt64(address.bus), radix: 16, width: 2)
    append(":")
    append(magnitude: UInt64(address.device), radix: 16, width: 2)
    append(".")
    append(magnitude: UInt64(address.function), radix: 16)
  }
}
