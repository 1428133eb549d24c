// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import ABI

/// A PCI device of the computer that a VM has for itself.
package struct ComputerDevice: Equatable, Sendable {
  package var address: PCIAddress
  /// The global system interrupt of its line; `nil` if Roost is to find it.
  package var interrupt: Int?

  package var bus: UInt8 { address.bus }
  package var device: UInt8 { address.device }
  package var function: UInt8 { address.function }
}

extension PCIAddress {
  /// Reads `66:00.0` or `0000:66:00.0`: hexadecimal digits, as `lspci` prints them.
  init?(text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3, let last = parts.last else { return nil }
    let place = last.split(separator: ".", omittingEmptySubsequences: false)
    guard place.count == 2, let device = UInt8(place[0], radix: 16), device < 32,
      let function = UInt8(place[1], radix: 16), function < 8,
      let bus = UInt8(parts[parts.count - 2], radix: 16)
    else { return nil }
    let segment = parts.count == 3 ? UInt16(parts[0], radix: 16) : 0
    guard let segment else { return nil }
    self.init(segment: segment, bus: bus, device: device, function: function)
  }

  /// As `lspci` prints it; the segment only where it is not 0.
  package var text: String {
    func hexadecimal(_ number: some FixedWidthInteger, _ width: Int) -> String {
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }
    let segment = segment == 0 ? "" : hexadecimal(segment, 4) + ":"
    return segment + "\(hexadecimal(bus, 2)):\(hexadecimal(device, 2)).\(function)"
  }
}
