// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// A serial port as a boot loader names it.
package enum LoaderPort: Equatable, Sendable {
  /// By its number: 0 for COM1, 1 for COM2.
  case unit(Int)
  /// By its first I/O port.
  case address(UInt16)
}

/// What a boot medium starts: Roost's kernel, the boot image of a system, and the serial port that shows it.
package struct BootContents: Sendable {
  /// The system's name: printable ASCII without quotes.
  package var name: String
  /// The kernel, an ELF file.
  package var kernel: [UInt8]
  /// The boot image's two parts.
  package var system: [UInt8]
  package var material: [UInt8]
  /// The console's serial port.
  package var serialPort: LoaderPort
  package var baud: Int
  /// A number that contents of other bytes hardly have.
  let fingerprint: UInt64

  package init(name: String, kernel: [UInt8], system: [UInt8], material: [UInt8], serialPort: LoaderPort, baud: Int) {
    self.name = name
    self.kernel = kernel
    self.system = system
    self.material = material
    self.serialPort = serialPort
    self.baud = baud
    var fingerprint = Fingerprint()
    for bytes in [Array(name.utf8), kernel, system, material] {
      // SAFETY: any bits are bytes.
      unsafe fingerprint.add(bytes.span.bytes)
    }
    self.fingerprint = fingerprint.value
  }

  /// The name of a file by which GRUB tells this medium from others in the same computer.
  var marker: String {
    let digits = String(fingerprint, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// What stands in for the serial numbers that other tools make up.
  var serial: UInt32 { UInt32(truncatingIfNeeded: fingerprint ^ fingerprint >> 32) }
}
