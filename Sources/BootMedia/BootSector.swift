// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

/// GRUB's two parts before a disk's first partition, for a BIOS: the first sector, and the core that it loads.
///
/// Both come as files with a few places left to fill in (GRUB, boot.S and diskboot.S): in the first sector, where the
/// core is and what to do if the BIOS names no drive; in the core's own first sector, where its rest is.
enum BootSector {
  private static let sector = 512
  /// The core's place: behind the GPT, and before the first MiB.
  static let coreStart = 64
  static let coreSectors = 2048 - coreStart

  /// The first sector: GRUB's code, with the table of `record`.
  static func first(boot: [UInt8], record: [UInt8]) throws(MediumError) -> [UInt8] {
    // "jmp" over a BIOS's parameters, the drive left open (0xff), and a short jump over the drive's check.
    guard boot.count == sector, record.count == sector, boot[0] == 0xeb, boot[0x64] == 0xff, boot[0x66] == 0xeb else {
      throw .unknownGRUB("boot.img")
    }
    var bytes = boot
    bytes.replace(at: 0x5c, with: UInt64(coreStart))
    // Two "nop": the drive is checked, as is right for disks and sticks.
    bytes.replaceSubrange(0x66..<0x68, with: [0x90, 0x90])
    bytes.replaceSubrange(440..<sector, with: record[440...])
    return bytes
  }

  /// The core, as it is to be written from `coreStart` on.
  static func core(_ image: [UInt8]) throws(MediumError) -> [UInt8] {
    let sectors = (image.count + sector - 1) / sector
    guard sectors <= coreSectors else { throw .loaderTooLarge(bytes: image.count) }
    // The list's only entry, in the first sector's last 12 bytes: the first sector, how many, and the segment 0x820.
    guard sectors > 1, image[0x1fe] == 0x20, image[0x1ff] == 0x08,
      Int(image[0x1fc]) | Int(image[0x1fd]) << 8 == sectors - 1
    else { throw .unknownGRUB("diskboot.img") }
    var bytes = image
    bytes.replace(at: 0x1f4, with: UInt64(coreStart + 1))
    bytes.append(contentsOf: repeatElement(0, count: sectors * sector - image.count))
    return bytes
  }
}

extension [UInt8] {
  /// Puts a little-endian number in place of 8 bytes.
  fileprivate mutating func replace(at offset: Int, with number: UInt64) {
    for index in 0..<8 { self[offset + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index)) }
  }
}
