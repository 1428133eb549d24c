// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BootMedia
import Description
import ImagePacking
import SystemPackage

/// `roost build`: makes what a system boots from.
struct BuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Builds the boot image of a system, or a medium with it.",
    discussion: """
      Without --format it is the image alone, which Roost's kernel is given as its initial RAM disk (QEMU: -initrd) or \
      as a module (GRUB: module2). The other formats boot by themselves, with a BIOS and with UEFI: 'iso' is a disc, \
      'usb' a stick (to be written with dd), 'pxe' a folder for a TFTP server, 'kernel' a folder with the kernel and \
      the image for QEMU. The same input gives the same bytes, at any time and in any folder; SOURCE_DATE_EPOCH sets \
      the date of the files in them.

      On a medium the image has two files: 'system', which says what the description says, and 'material', programs \
      and what guests boot. --format system makes the first alone: copied to a medium it replaces the system there, as \
      long as the other uses the same material; the kernel says so if it does not.

      Guests' kernels and programs come from Debian's packages and are kept for the next time.
      """)

  @OptionGroup var system: SystemArguments

  @Option(help: "What to make.")
  var format = BootFormat.image

  @Option(
    name: .shortAndLong,
    help: """
      Where to write it; for 'kernel' and 'pxe' a folder. 'usb' and 'iso' also go straight to a stick (/dev/sdX), of \
      which nothing may be mounted: ALL ON IT IS LOST.
      """, completion: .file())
  var output: String

  @OptionGroup var options: CommonOptions

  func run() async throws {
    try await Failure.wrapping {
      let description = try system.load()
      try await format.requireTools()
      let inputs = system.inputs(of: description)
      // Looked at now, so that what cannot be is said before a long build; and once more when there is something.
      _ = try MediumPlace(FilePath(output), for: format, besides: inputs)
      let project = Project()
      let paths = try await TargetPrograms(
        folder: system.components, project: project, tools: options.tools, reporter: options.reporter)
      let programs = try paths.load(for: description)
      let image = try await SystemImage(project: project, options: options).packed(description, programs: programs)
      let contents = BootContents(
        name: description.name, kernel: try ImagePacker.bootable(kernel: programs.kernel), system: image.system,
        material: image.material,
        serialPort: description.console.uart.loaderPort, baud: description.console.baud)
      let place = try MediumPlace(FilePath(output), for: format, besides: inputs)
      try await BootMedium(contents, tools: options.tools).write(
        to: place, scratch: project.cache, progress: options.reporter.device(output))
      let isPart = format == .image || format == .system
      options.reporter.step("done", isPart ? "\(output), for the kernel \(paths.kernel)" : output)
    }
  }
}

extension BootFormat: ExpressibleByArgument {}

extension UART {
  /// As boot loaders name it.
  fileprivate var loaderPort: LoaderPort { unit.map { .unit($0) } ?? .address(port) }
}
