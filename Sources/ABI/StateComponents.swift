// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// The components of the extended processor state, as XCR0 selects them.
package enum StateComponents {
  /// Whether a processor with `supported` components takes `value` for XCR0 (AMD APM volume 2, §11.5.2; Intel SDM
  /// volume 1, §13.3): x87 always, AVX only with SSE, AVX-512's three only together and with AVX.
  package static func isValid(_ value: UInt64, supported: UInt64) -> Bool {
    let wide = value & 0xE0
    return value & 1 == 1 && value & ~supported == 0 && (value & 4 == 0 || value & 2 != 0)
      && (wide == 0 || wide == 0xE0 && value & 4 != 0)
  }
}
