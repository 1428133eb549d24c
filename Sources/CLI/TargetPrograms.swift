// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Description
import FoundationEssentials
import HostTools
import ImagePacking
import SystemPackage

/// The kernel and the components, as ELF files for the bare machine.
struct TargetPrograms {
  private static let triple = "x86_64-unknown-none-elf"
  /// All of them.
  static let names = ["KernelImage", "VMM", "ConsoleServer", "SwitchServer", "DiskServer"]

  /// The folder they are in.
  let folder: FilePath

  /// The kernel's file, which a boot loader (or QEMU) starts.
  var kernel: String { folder.appending("KernelImage").string }

  /// Takes them from `folder` or, if that is `nil`, builds them from the checkout's sources.
  init(folder: String?, project: Project, tools: ToolRunner, reporter: Reporter) async throws {
    if let folder {
      self.folder = FilePath(folder)
      return
    }
    guard let checkout = project.checkout else {
      throw Failure.environment(
        "Roost's own programs are built from its sources; start roost in their folder, or name one with --components")
    }
    let scratch = checkout.appending(".build/bare")
    reporter.step("build", "kernel and components")
    try await tools.run(
      .swift,
      [
        "build", "--package-path", checkout.string, "--scratch-path", scratch.string, "--triple", Self.triple,
        "--toolset", checkout.appending("toolset.json").string, "-c", "release",
      ], environment: ["BARE": "1"])
    self.folder = scratch.appending(Self.triple).appending("release")
  }

  /// The files' contents, for the boot image of a system.
  func load(for system: System) throws(Failure) -> Programs {
    Programs(
      kernel: try WholeFile.read(kernel), vmm: try component("VMM"), console: try component("ConsoleServer"),
      switchServer: system.switches.isEmpty ? [] : try component("SwitchServer"),
      diskServer: system.disks.isEmpty ? [] : try component("DiskServer"))
  }

  private func component(_ name: String) throws(Failure) -> [UInt8] {
    try WholeFile.read(folder.appending(name).string)
  }
}
