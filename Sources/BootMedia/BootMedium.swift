// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import HostTools
package import SystemPackage

/// In what form a system is to be had.
package enum BootFormat: String, CaseIterable, Sendable {
  /// The boot image alone, in one file.
  case image
  /// Its part that says what the description says.
  case system
  /// A folder with kernel and image.
  case kernel
  /// A disc that BIOS and UEFI start.
  case iso
  /// A stick that BIOS and UEFI start.
  case usb
  /// A folder for a TFTP server.
  case pxe

  /// Throws if a program is missing, so that this is said before anything long is begun.
  package func requireTools() async throws(ToolFailure) {
    let tools: [Tool] =
      switch self {
      case .image, .system, .kernel: []
      case .pxe: [.grubImage]
      case .usb: [.grubImage, .mformat, .mcopy, .mmd]
      case .iso: [.grubImage, .mformat, .mcopy, .mmd, .xorriso]
      }
    for tool in tools { try await ToolRunner.require(tool) }
    if !tools.isEmpty { try await GRUB.require() }
  }
}

/// Makes what a computer boots from. The same contents give the same bytes.
package struct BootMedium {
  private let contents: BootContents
  private let tools: ToolRunner

  package init(_ contents: BootContents, tools: ToolRunner) {
    self.contents = contents
    self.tools = tools
  }

  /// Writes it to its place.
  /// - Parameters:
  ///   - scratch: A folder for what is made before a device is written.
  ///   - progress: Told how many of how many bytes of a device are done.
  package func write(
    to target: MediumPlace, scratch: FilePath, progress: (Int64, _ of: Int64) -> Void = { _, _ in }
  ) async throws {
    let place = target.place
    let workshop = try Workshop(in: target.isDevice ? scratch : target.folder, tools: tools)
    switch target.format {
    case .image: try workshop.write(contents.system + contents.material, to: "result")
    case .system: try workshop.write(contents.system, to: "result")
    case .iso: try await writeDisc(workshop)
    case .usb: try await writeStick(workshop)
    case .kernel:
      try workshop.write(contents.kernel, to: "kernel")
      try workshop.write(contents.system + contents.material, to: "image")
    case .pxe: try await writeNetworkFolder(workshop)
    }
    if target.isDevice {
      try OutputDevice(place).write(workshop.path("result"), progress: progress)
    } else if target.format.files.isEmpty {
      try OutputFile.move(workshop.path("result"), to: place)
    } else {
      try workshop.deliver(target)
    }
  }

  /// Kernel and the image's parts, in a folder whose name ends in a slash.
  private func writePrograms(to folder: String, _ workshop: borrowing Workshop) throws {
    try workshop.write(contents.kernel, to: folder + "kernel")
    try workshop.write(contents.system, to: folder + "system")
    try workshop.write(contents.material, to: folder + "material")
  }

  // MARK: - The formats

  private func writeNetworkFolder(_ workshop: borrowing Workshop) async throws {
    try writePrograms(to: "", workshop)
    try workshop.write(GRUBScript.second(contents), to: GRUBScript.file)
    try workshop.write(GRUBScript.network, to: "boot.ipxe")
    try await GRUB.make(.network, GRUBScript.firstByNetwork, as: "grub.pxe", in: workshop)
    try await GRUB.make(.efiNetwork, GRUBScript.firstByNetwork, as: "grub.efi", in: workshop)
  }

  /// Everything of discs and sticks but what firmware starts, in the folder `tree`.
  private func writeTree(_ workshop: borrowing Workshop) throws {
    let folder = "tree/\(GRUBScript.folder)/"
    try writePrograms(to: folder, workshop)
    try workshop.write(GRUBScript.second(contents), to: folder + GRUBScript.file)
    try workshop.write("This file tells GRUB which medium it was started from.\n", to: folder + contents.marker)
  }

  /// An ISO 9660 file system with two boot images (El Torito): GRUB for a BIOS, and a FAT with GRUB for UEFI. Written to
  /// a stick as it is, it boots from there too.
  private func writeDisc(_ workshop: borrowing Workshop) async throws {
    let folder = "\(GRUBScript.folder)/boot"
    let first = GRUBScript.first(marker: contents.marker)
    try writeTree(workshop)
    try workshop.makeFolder("tree/\(folder)")
    try await GRUB.make(.disc, first, as: "tree/\(folder)/bios.img", in: workshop)
    try await GRUB.make(.efi, first, as: "loader", in: workshop)
    let efi = FATImage(file: "tree/\(folder)/efi.img", serial: contents.serial)
    try await efi.formatFloppy(workshop)
    try await efi.addLoader("loader", workshop)
    try await workshop.run(
      .xorriso,
      [
        "-as", "mkisofs", "-quiet", "-o", "result", "-V", "ROOST", "-r",
        "--set_all_file_dates", BuildDate.digits, "--modification-date=\(BuildDate.digits)",
        "-b", "\(folder)/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info",
        "--grub2-mbr", GRUB.hybridSector.name, "--protective-msdos-label",
        "--efi-boot", "\(folder)/efi.img", "-efi-boot-part", "--efi-boot-image", "tree",
      ])
  }

  /// A disk with a GPT: GRUB for a BIOS in a partition of its own, and an EFI partition with everything else.
  private func writeStick(_ workshop: borrowing Workshop) async throws {
    let first = GRUBScript.first(marker: contents.marker)
    try writeTree(workshop)
    try await GRUB.make(.disk, first, as: "core", in: workshop)
    try await GRUB.make(.efi, first, as: "loader", in: workshop)
    let layout = try StickLayout(contents)
    try layout.write(to: workshop.path("result"), boot: Self.read(GRUB.bootSector), core: try workshop.read("core"))
    let partition = FATImage(file: "result", serial: contents.serial, offset: StickLayout.partitionStart)
    try await partition.formatDisk(sectors: layout.partitionSectors, workshop)
    try await partition.add("tree/\(GRUBScript.folder)", workshop)
    try await partition.addLoader("loader", workshop)
  }

  private static func read(_ file: Tool) throws -> [UInt8] { try FileBytes.read(file.name) }
}
