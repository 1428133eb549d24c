// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import HostTools
import SystemPackage

/// How firmware starts GRUB; each needs an image of its own.
enum GRUBTarget: String {
  /// A BIOS, from a disk.
  case disk = "i386-pc"
  /// A BIOS, from a disc.
  case disc = "i386-pc-eltorito"
  /// A network card's PXE.
  case network = "i386-pc-pxe"
  /// UEFI, from whatever holds a file system.
  case efi = "x86_64-efi"
  /// UEFI, from the network.
  case efiNetwork

  /// What GRUB's own tool calls it.
  fileprivate var format: String { self == .efiNetwork ? Self.efi.rawValue : rawValue }

  /// How GRUB gets at its files.
  private var access: [String] {
    let files = ["part_gpt", "part_msdos", "fat", "iso9660", "search_fs_file"]
    return switch self {
    case .disk, .disc: ["biosdisk"] + files
    case .network: ["pxe", "tftp"]
    case .efi: files
    case .efiNetwork: ["efinet", "tftp"]
    }
  }

  /// All modules of the image; it loads no others.
  fileprivate var modules: [String] {
    access + ["normal", "configfile", "multiboot2", "boot", "serial", "terminal", "echo", "ls", "reboot", "halt"]
  }

  /// The folder of the files; without one, the folder that GRUB was loaded from.
  fileprivate var prefix: String {
    switch self {
    case .network, .efiNetwork: ""
    case .disk, .disc, .efi: "/\(GRUBScript.folder)"
    }
  }
}

/// GRUB as Debian packages it.
enum GRUB {
  private static let folder = FilePath("/usr/lib/grub")
  /// The first sector of a disk.
  static let bootSector = Tool(folder.appending("i386-pc/boot.img").string, package: "grub-pc-bin")
  /// The first sectors of a disc that is also to be used as a disk.
  static let hybridSector = Tool(folder.appending("i386-pc/boot_hybrid.img").string, package: "grub-pc-bin")
  private static let efi = Tool(folder.appending("x86_64-efi/moddep.lst").string, package: "grub-efi-amd64-bin")

  /// Throws if something of it is not installed.
  static func require() async throws(ToolFailure) {
    try await ToolRunner.require(.grubImage)
    for file in [bootSector, hybridSector, efi] { try ToolRunner.require(file: file) }
  }

  /// Makes an image that begins with `script`.
  static func make(
    _ target: GRUBTarget, _ script: String, as name: String, in workshop: borrowing Workshop
  ) async throws {
    let scriptName = name + ".script"
    try workshop.write(script, to: scriptName)
    try await workshop.run(
      .grubImage,
      ["--format", target.format, "--prefix", target.prefix, "--config", scriptName, "--output", name]
        + target.modules)
    try workshop.remove(scriptName)
  }
}
