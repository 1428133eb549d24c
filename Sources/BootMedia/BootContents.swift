// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// What a boot medium starts: Roost's kernel, the boot image of a system, and the serial port that shows it.
package struct BootContents: Sendable {
  /// The system's name: printable ASCII without quotes.
  package var name: String
  /// The kernel, an ELF file.
  package var kernel: [UInt8]
  package var image: [UInt8]
  /// The number of the console's serial port: 0 for COM1, 1 for COM2.
  package var serialUnit: Int
  package var baud: Int
  /// A number that contents of other bytes hardly have.
  let fingerprint: UInt64

  package init(name: String, kernel: [UInt8], image: [UInt8], serialUnit: Int, baud: Int) {
    self.name = name
    self.kernel = kernel
    self.image = image
    self.serialUnit = serialUnit
    self.baud = baud
    var fingerprint = Fingerprint()
    for bytes in [Array(name.utf8), kernel, image] { fingerprint.add(bytes) }
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

/// FNV-1a with 64 bits: for telling apart, not for protection.
private struct Fingerprint {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  /// Takes in some bytes and their number, so that pieces cannot be taken for others of the same bytes.
  mutating func add(_ bytes: [UInt8]) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    value = (value ^ UInt64(bytes.count)) &* 0x0000_0100_0000_01b3
  }
}
