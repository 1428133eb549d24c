// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import SystemPackage

/// `roost build`: makes the boot image of a system.
struct BuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Builds the boot image of a system.",
    discussion: """
      The image is what Roost's kernel is given as its initial RAM disk (QEMU: -initrd) or as a module (GRUB: \
      module2). Guests' kernels and programs come from Debian's packages and are kept for the next time.
      """)

  @OptionGroup var system: SystemArguments

  @Option(name: .shortAndLong, help: "Where to write the image.", completion: .file())
  var output: String

  @OptionGroup var options: CommonOptions

  func run() async throws {
    try await Failure.wrapping {
      let description = try system.load()
      let project = Project()
      let programs = try await TargetPrograms(
        folder: system.components, project: project, tools: options.tools, reporter: options.reporter)
      let image = try await SystemImage(project: project, options: options)
        .bytes(of: description, programs: try programs.load(for: description))
      try WholeFile.write(image, to: FilePath(output))
      options.reporter.step("done", "\(output), \(image.count >> 10) KiB, for \(programs.kernel)")
    }
  }
}
