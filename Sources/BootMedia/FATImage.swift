// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import HostTools

/// A FAT file system in a file of the workshop, filled by mtools.
struct FATImage {
  let file: String
  /// The volume's serial number.
  let serial: UInt32
  /// The file system's first byte in the file.
  var offset = 0

  private var target: [String] { ["-i", offset == 0 ? file : "\(file)@@\(offset)"] }
  private var number: String { String(serial, radix: 16) }

  /// Makes a file of 2880 KiB, which firmware takes from a disc.
  func formatFloppy(_ workshop: borrowing Workshop) async throws {
    try await workshop.run(.mformat, target + ["-C", "-f", "2880", "-N", number, "::"])
  }

  /// Makes a FAT32 of so many sectors.
  func formatDisk(sectors: Int, _ workshop: borrowing Workshop) async throws {
    let hidden = offset / 512
    try await workshop.run(
      .mformat,
      target + [
        "-F", "-T", "\(sectors)", "-h", "255", "-s", "63", "-H", "\(hidden)", "-N", number, "-v", "ROOST", "::",
      ])
  }

  /// Copies a folder and what is in it to the top.
  func add(_ folder: String, _ workshop: borrowing Workshop) async throws {
    let names = try workshop.list(folder)
    let name = folder.split(separator: "/").last.map(String.init) ?? folder
    try await workshop.run(.mmd, target + ["::\(name)"])
    // By name, since the order in the workshop's folder is anyhow.
    for entry in names { try await workshop.run(.mcopy, target + ["\(folder)/\(entry)", "::\(name)/\(entry)"]) }
  }

  /// Copies GRUB to where UEFI looks for it on media (UEFI 2.10, §3.5.1.1).
  func addLoader(_ name: String, _ workshop: borrowing Workshop) async throws {
    try await workshop.run(.mmd, target + ["::EFI", "::EFI/BOOT"])
    try await workshop.run(.mcopy, target + [name, "::EFI/BOOT/BOOTX64.EFI"])
  }
}
