// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// A boot image in its two parts, which can be two modules of a boot loader or one file.
package struct PackedImage: Sendable {
  /// What a description says: small, and another for each.
  package var system: [UInt8]
  /// Programs and what guests boot: large, and the same for descriptions that use the same.
  package var material: [UInt8]

  /// Both in one.
  package var bytes: [UInt8] { system + material }
}
