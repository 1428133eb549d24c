// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import DiskImage
import FoundationEssentials
import HostTools
import Storage
import SystemPackage

/// Where everything lies on a stick.
struct StickLayout {
  private static let sector = 512
  private static let unit = 1 << 20
  /// The EFI partition's first byte.
  static let partitionStart = unit
  /// Less, and the file system would be no FAT32, which UEFI wants on disks (UEFI 2.10, §13.3.1.1).
  private static let leastPartition = 64 * unit
  /// Room for a second image beside the first one, and some more.
  private static let spare = 16 * unit
  private static let biosPartition = GUID(0x2168_6148, 0x6449, 0x6e6f, 0x744e, 0x6565_6445_4649)
  private static let efiPartition = GUID(0xc12a_7328, 0xf81f, 0x11d2, 0xba4b, 0x00a0_c93e_c93b)

  private let fingerprint: UInt64
  /// Bytes of the EFI partition, whole MiB.
  private let partitionSize: Int

  init(_ contents: BootContents) throws(MediumError) {
    guard contents.material.count < 1 << 32, contents.kernel.count < 1 << 32 else { throw .imageTooLarge }
    fingerprint = contents.fingerprint
    let wanted = contents.kernel.count + 2 * (contents.system.count + contents.material.count) + Self.spare
    partitionSize = max(Self.leastPartition, (wanted + Self.unit - 1) / Self.unit * Self.unit)
  }

  var partitionSectors: Int { partitionSize / Self.sector }
  /// Bytes of the stick: the last MiB is for the table's second copy.
  var size: Int { Self.partitionStart + partitionSize + Self.unit }

  /// The partition table.
  var table: TableOfGUIDs {
    TableOfGUIDs(
      identifier: identifier(0), sectors: size / Self.sector,
      entries: [
        .init(
          number: 1, type: Self.biosPartition, identifier: identifier(1), name: "GRUB for a BIOS",
          first: BootSector.coreStart, count: BootSector.coreSectors),
        .init(
          number: 2, type: Self.efiPartition, identifier: identifier(2), name: "Roost",
          first: Self.partitionStart / Self.sector, count: partitionSectors),
      ])
  }

  /// Writes a file with the table and GRUB, and zeros elsewhere.
  func write(to path: FilePath, boot: [UInt8], core: [UInt8]) throws {
    let file = try OutputFile.create(OutputPlace(path))
    defer { try? file.close() }
    try file.resize(to: Int64(size))
    for piece in table.contents {
      let bytes = piece.offset == 0 ? try BootSector.first(boot: boot, record: piece.bytes) : piece.bytes
      try file.writeAll(toAbsoluteOffset: Int64(piece.offset), bytes)
    }
    try file.writeAll(toAbsoluteOffset: Int64(BootSector.coreStart * Self.sector), try BootSector.core(core))
  }

  /// An identifier made from the contents, of a form that is free for such use (RFC 9562, §5.8).
  private func identifier(_ number: UInt16) -> GUID {
    GUID(
      UInt32(truncatingIfNeeded: fingerprint >> 32), number, 0x8000, 0x8000 | UInt16(fingerprint & 0x3fff),
      fingerprint & 0xffff_ffff_ffff)
  }
}

/// Whole files of the host.
enum FileBytes {
  static func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }
}
