// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BootMedia

/// GRUB's places are filled in as its own installer does, and nothing else is touched.
struct BootSectorTests {
  /// A sector with what is known of GRUB's boot.img.
  private var boot: [UInt8] {
    var bytes = [UInt8](repeating: 0x11, count: 512)
    bytes[0] = 0xeb
    bytes[0x64] = 0xff
    bytes[0x66] = 0xeb
    return bytes
  }

  /// An image of so many bytes, with what is known of GRUB's diskboot.img.
  private func core(_ count: Int, rest: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0x22, count: count)
    bytes.replaceSubrange(0x1fc..<0x200, with: [UInt8(rest & 0xff), UInt8(rest >> 8), 0x20, 0x08])
    return bytes
  }

  @Test func `the first sector names the core's place and checks the drive`() throws {
    let bytes = try BootSector.first(boot: boot, record: [UInt8](repeating: 0x33, count: 512))

    #expect(Array(bytes[0x5c..<0x64]) == [64, 0, 0, 0, 0, 0, 0, 0])
    #expect(Array(bytes[0x66..<0x68]) == [0x90, 0x90])
    #expect(bytes[440...].allSatisfy { $0 == 0x33 })
    #expect(bytes[1..<0x5c].allSatisfy { $0 == 0x11 })
  }

  @Test func `the core names the place of its rest and fills whole sectors`() throws {
    let bytes = try BootSector.core(core(1100, rest: 2))

    #expect(bytes.count == 1536)
    #expect(Array(bytes[0x1f4..<0x1fc]) == [65, 0, 0, 0, 0, 0, 0, 0])
    #expect(bytes[1100...].allSatisfy { $0 == 0 })
  }

  @Test func `files that are not GRUB's are refused`() {
    let record = [UInt8](repeating: 0, count: 512)
    #expect(throws: MediumError.unknownGRUB("boot.img")) {
      try BootSector.first(boot: [UInt8](repeating: 0, count: 512), record: record)
    }
    #expect(throws: MediumError.unknownGRUB("boot.img")) { try BootSector.first(boot: [0xeb], record: record) }
    #expect(throws: MediumError.unknownGRUB("diskboot.img")) { try BootSector.core([]) }
    #expect(throws: MediumError.unknownGRUB("diskboot.img")) { try BootSector.core(core(1100, rest: 3)) }
  }

  @Test func `a core that does not fit is refused`() {
    let count = BootSector.coreSectors * 512 + 1
    #expect(throws: MediumError.loaderTooLarge(bytes: count)) { try BootSector.core(core(count, rest: 1)) }
  }
}
