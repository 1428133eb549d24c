// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Description
import GuestImage
import HostTools
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

  /// The files that the system is made of, none of which may be written over.
  func inputs(of system: System) -> InputFiles {
    var inputs = InputFiles()
    inputs.add(FilePath(file), as: "the description")
    for machine in system.machines {
      if case .file(let path) = machine.kernel { inputs.add(FilePath(path), as: "the kernel of \(machine.name)") }
      if case .file(let path) = machine.initrd { inputs.add(FilePath(path), as: "the initrd of \(machine.name)") }
    }
    for disk in system.disks {
      if case .image(let path) = disk.source { inputs.add(FilePath(path), as: "the image of disk \(disk.name)") }
    }
    for name in TargetPrograms.names {
      if let components { inputs.add(FilePath(components).appending(name), as: "a component") }
    }
    return inputs
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
    var kernels: [KernelSource: [UInt8]] = [:]
    var guests: [GuestBoot] = []
    for machine in system.machines {
      let source = machine.kernel
      let kernel = if let known = kernels[source] { known } else { await unpacked(try await kernel(source), source) }
      kernels[source] = kernel
      guests.append(GuestBoot(kernel: kernel, initrd: try await initrd(machine)))
    }
    var images: [[UInt8]] = []
    for case .image(let path) in system.disks.map(\.source) { images.append(try WholeFile.read(path)) }
    for note in system.notes { reporter.step("note", note) }
    reporter.step("image", system.name)
    return try ImagePacker.pack(system, programs: programs, guests: guests, diskImages: images)
  }

  /// The bzImage.
  private func kernel(_ source: KernelSource) async throws -> [UInt8] {
    switch source {
    case .file(let path): try WholeFile.read(path)
    case .debian(let architecture): try WholeFile.read(try await material.kernel(architecture.debian).string)
    }
  }

  /// What the VMM is given: the kernel unpacked, or if that cannot be, as it is.
  private func unpacked(_ kernel: [UInt8], _ source: KernelSource) async -> [UInt8] {
    do throws(StaysPacked) {
      return try await material.unpacked(kernel)
    } catch {
      if error.isWorthKnowing { reporter.step("kernel", "\(source.name) stays packed: \(error)") }
      return kernel
    }
  }

  private func initrd(_ machine: VirtualMachine) async throws -> [[UInt8]] {
    switch machine.initrd {
    case nil: []
    case .file(let path): [try WholeFile.read(path)]
    case .busybox(let architecture):
      [
        try WholeFile.read(
          try await material.initrd(architecture.debian, isForOwnKernel: machine.kernel == .debian(architecture)).string
        ),
        GuestMaterial.hostnameSegment(machine.name),
      ]
    }
  }
}

extension KernelSource {
  /// As the description has it.
  fileprivate var name: String {
    switch self {
    case .debian(let architecture): "debian:\(architecture.rawValue)"
    case .file(let path): path
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
