// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Machine

/// Whether a file is a Linux kernel for x86: by the judge that the VMM asks at boot, in words that say where to look.
package enum BzImage {
  /// What keeps `bytes` from being a bzImage that a VMM starts; `nil` if nothing does.
  package static func check(_ bytes: [UInt8]) -> String? {
    // SAFETY: bytes have neither padding nor invalid values.
    let file = unsafe bytes.span.bytes
    do throws(LinuxBootError) {
      _ = try LinuxKernel(inspecting: file, fileSize: UInt64(bytes.count))
      return nil
    } catch {
      return reason(error, file)
    }
  }

  private static func reason(_ error: LinuxBootError, _ file: borrowing RawSpan) -> String {
    switch error {
    case .truncated where file.byteCount < LinuxKernel.headerSize: "it has only \(file.byteCount) bytes"
    case .truncated: "it is cut off: its header announces more than its \(file.byteCount) bytes"
    case .notLinux where file.load(0x1fe, as: UInt16.self) != 0xaa55: "the boot signature 55 AA is missing at byte 510"
    case .notLinux: "'HdrS' is missing at byte 514"
    case .oldProtocol: "its boot protocol is older than 2.06"
    case .notLoadedHigh: "it is a zImage, which loads below 1 MiB"
    case .badHeader: "its setup header contradicts itself"
    default: "\(error.sentence)"
    }
  }
}
