// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

extension PCIAddress {
  /// The address that text like `00:11.5` or `0000:00:11.5` names; `nil` if it is none.
  init?(text: String) {
    guard let match = text.wholeMatch(of: /(?:([0-9A-Fa-f]{4}):)?([0-9A-Fa-f]{2}):([0-9A-Fa-f]{2})\.([0-7])/),
      let bus = UInt8(match.2, radix: 16), let device = UInt8(match.3, radix: 16), device < 32,
      let function = UInt8(match.4, radix: 8)
    else { return nil }
    self.init(segment: match.1.flatMap { UInt16($0, radix: 16) } ?? 0, bus: bus, device: device, function: function)
  }

  /// The address as `lspci` shows it, without the segment if that is 0.
  var text: String {
    func hexadecimal(_ value: some BinaryInteger, _ width: Int) -> String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let place = hexadecimal(bus, 2) + ":" + hexadecimal(device, 2) + ".\(function)"
    return segment == 0 ? place : hexadecimal(segment, 4) + ":" + place
  }
}
