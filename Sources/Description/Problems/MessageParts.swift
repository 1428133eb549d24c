// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

// How messages show what the file says.
extension DefaultStringInterpolation {
  /// Text of the file in quotes, short and harmless to a terminal.
  mutating func appendInterpolation(quoted text: String) {
    let shown = text.unicodeScalars.prefix(200).map { $0.properties.isPrintable ? Character($0) : "?" }
    appendLiteral("'" + String(shown) + (text.unicodeScalars.count > 200 ? "…'" : "'"))
  }

  /// A size as people write it: in GiB where that is exact, otherwise in MiB, rounded up.
  mutating func appendInterpolation(size bytes: UInt64) {
    let isWhole = bytes > 0 && bytes.isMultiple(of: .GiB)
    appendLiteral(isWhole ? "\(bytes / .GiB) GiB" : "\((bytes + .MiB - 1) / .MiB) MiB")
  }
}

extension Unicode.Scalar.Properties {
  /// Whether it neither moves a terminal's cursor nor hides or reorders text.
  fileprivate var isPrintable: Bool {
    switch generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    default: true
    }
  }
}
