// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// Records of the image are stored as Swift lays them out; the host and the target are both little-endian.
extension [UInt8] {
  /// Adds a record's bytes.
  mutating func append<Record: BitwiseCopyable>(record: Record) {
    // SAFETY: the records of the ABI have no padding, so every byte of one is initialised.
    unsafe Swift.withUnsafeBytes(of: record) { unsafe append(contentsOf: $0) }
  }

  /// Adds zeros up to a multiple of `alignment`, a power of two.
  mutating func pad(to alignment: Int) {
    append(contentsOf: repeatElement(0, count: -count & (alignment - 1)))
  }

  /// The little-endian number at `offset`; `nil` if it is not wholly inside.
  func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T? {
    // SAFETY: bytes have neither padding nor invalid values.
    unsafe span.bytes.load(offset, as: T.self)
  }
}

extension [UInt8] {
  /// A number that other bytes hardly have.
  var fingerprint: UInt64 {
    var fingerprint = Fingerprint()
    // SAFETY: as for `load`.
    unsafe fingerprint.add(span.bytes)
    return fingerprint.value
  }
}

extension ShortName {
  /// A name from text; what does not fit is cut.
  init(text: String) {
    let bytes = Array(text.utf8)
    // SAFETY: as for `load`.
    unsafe self.init(bytes.span.bytes)
  }
}
