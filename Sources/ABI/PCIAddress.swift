// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// Where a PCI function is: what `lspci` calls `0000:00:11.5`.
package struct PCIAddress: Equatable, Sendable, BitwiseCopyable {
  /// Segment in bits 31–16, bus in 15–8, device in 7–3, function in 2–0.
  package var rawValue: UInt32

  package init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// - Precondition: a device is below 32, a function below 8.
  package init(segment: UInt16 = 0, bus: UInt8, device: UInt8, function: UInt8) {
    precondition(device < 32 && function < 8)
    rawValue = UInt32(segment) << 16 | UInt32(bus) << 8 | UInt32(device) << 3 | UInt32(function)
  }

  package var segment: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }
  package var bus: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 8) }
  package var device: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 3) & 0x1f }
  package var function: UInt8 { UInt8(truncatingIfNeeded: rawValue) & 7 }
}
