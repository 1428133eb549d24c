// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI

extension MACAddress {
  /// The address that six pairs of hexadecimal digits with colons between name; `nil` if the text is not that.
  init?(text: String) {
    let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
    guard pairs.count == 6, pairs.allSatisfy({ $0.utf8.count == 2 && $0.allSatisfy(\.isHexDigit) }) else { return nil }
    let bytes = pairs.compactMap { UInt64($0, radix: 16) }
    guard bytes.count == 6 else { return nil }
    self.init(rawValue: bytes.reduce(0) { $0 << 8 | $1 })
  }

  /// Six pairs of lower-case hexadecimal digits with colons between.
  var text: String {
    (0..<6).map { index in
      let digits = String(self[index], radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined(separator: ":")
  }

  /// The address of a card that is given none: the same for the same names, whatever else changes.
  ///
  /// The 64-bit FNV-1a hash of `SYSTEM/VM/ethN`, its upper 16 bits folded into the lower 48; then the address is
  /// marked as one of a single station, locally administered (IEEE 802, §8.4).
  init(system: String, machine: String, card: Int) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in "\(system)/\(machine)/eth\(card)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    let folded = hash >> 48 ^ hash
    self.init(rawValue: folded & ~(1 << 40) | 1 << 41)
  }
}
