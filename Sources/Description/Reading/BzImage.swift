// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The signs by which a file is a Linux kernel for x86 (Linux, Documentation/arch/x86/boot.rst).
package enum BzImage {
  /// What keeps `bytes` from being a bzImage; `nil` if nothing does.
  package static func check(_ bytes: [UInt8]) -> String? {
    // SAFETY: bytes have neither padding nor invalid values.
    let span = unsafe bytes.span.bytes
    // boot_flag and header of the real-mode header.
    guard let flag = span.load(0x1FE, as: UInt16.self), let header = span.load(0x202, as: UInt32.self),
      let version = span.load(0x206, as: UInt16.self), let loadFlags = span.load(0x211, as: UInt8.self)
    else { return "it has only \(bytes.count) bytes" }
    guard flag == 0xAA55 else { return "the boot signature 55 AA is missing at byte 510" }
    guard header == 0x5372_6448 else { return "'HdrS' is missing at byte 514" }
    // The relocatable protected-mode kernel with a command line of its own length came with 2.06.
    guard version >= 0x206 else { return "its boot protocol is older than 2.06" }
    guard loadFlags & 1 != 0 else { return "it is a zImage, which loads below 1 MiB" }
    return nil
  }
}
