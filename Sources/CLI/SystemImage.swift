// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Description
import GuestImage
import ImagePacking
import SystemPackage

/// What 'build' and 'run' are given.
struct SystemArguments: ParsableArguments {
  @Argument(help: "The system description, a YAML file.", completion: .descriptions)
  var file: String

  @Option(
    help: "A folder with KernelImage, VMM, ConsoleServer, SwitchServer and DiskServer, instead of building them.",
    completion: .directory)
  var components: String?

  /// Checks the description.
  func load() throws(Failure) -> System {
    do {
      return try Description.load(path: file)
    } catch {
      throw .description([error.description])
    }
  }
}

/// Makes the boot image of a system: the programs, and what each VM boots.
struct SystemImage {
  private let material: GuestMaterial
  private let reporter: Reporter

  init(project: Project, options: CommonOptions) {
    reporter = options.reporter
    material = GuestMaterial(cache: project.cache, tools: options.tools, progress: reporter.progress)
  }

  func packed(_ system: System, programs: Programs) async throws -> PackedImage {
    var guests: [GuestBoot] = []
    for machine in system.machines {
      guests.append(GuestBoot(kernel: try await kernel(machine), initrd: try await initrd(machine)))
    }
    var images: [[UInt8]] = []
    for case .image(let path) in system.disks.map(\.source) { images.append(try WholeFile.read(path)) }
    reporter.step("image", system.name)
    return try ImagePacker.pack(system, programs: programs, guests: guests, diskImages: images)
  }

  private func kernel(_ machine: VirtualMachine) async throws -> [UInt8] {
    switch machine.kernel {
    case .file(let path): try WholeFile.read(path)
    case .debian(let architecture): try WholeFile.read(try await material.kernel(architecture.debian).string)
    }
  }

  private func initrd(_ machine: VirtualMachine) async throws -> [[UInt8]] {
    switch machine.initrd {
    case nil: []
    case .file(let path): [try WholeFile.read(path)]
    case .busybox(let architecture):
      [
        try WholeFile.read(try await material.initrd(architecture.debian).string),
        GuestMaterial.hostnameSegment(machine.name),
      ]
    }
  }
}

extension Architecture {
  fileprivate var debian: DebianArchitecture {
    switch self {
    case .i386: .i386
    case .amd64: .amd64
    }
  }
}
