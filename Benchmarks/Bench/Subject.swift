// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

/// What runs the guests: one column of the table.
enum Subject: String, CaseIterable {
  /// The emulated computer itself: the best there can be. It has room for one guest.
  case bare
  /// Debian's KVM and QEMU on the emulated computer.
  case kvm
  /// Roost on the emulated computer.
  case roost

  var title: String {
    switch self {
    case .bare: "bare emulator"
    case .kvm: "KVM+QEMU"
    case .roost: "Roost"
    }
  }

  /// Two that guests run on; with a hypervisor a third, the first, which does not (decision 14).
  private var processors: Int { self == .bare ? 2 : 3 }

  /// Starts the emulated computer, one and the same for all, with `more` of QEMU's arguments.
  func boot(_ scene: Scene, _ more: [String] = []) async throws -> TestMachine {
    let folder = "\(Material.folder)/"
    let kind = scene.device.map { "-\($0)" } ?? ""
    let kernel: (file: String, initrd: String, arguments: String) =
      switch self {
      case .bare: (folder + "guest.kernel", folder + "guest\(kind).initrd", "console=ttyS0,115200 quiet")
      case .kvm: (folder + "host.kernel", folder + "host\(kind).initrd", hostArguments(scene))
      case .roost: (Repository.image("KernelImage"), folder + Material.image(scene), "")
      }
    return try await TestMachine(
      command: [
        "qemu-system-x86_64", "-machine", "q35,accel=tcg,sata=off", "-cpu", "EPYC,+svm,+npt", "-smp", "\(processors)",
        // The guest has the same memory everywhere.
        "-m", self == .bare ? "128" : "4096", "-display", "none", "-nodefaults", "-no-reboot",
        "-serial", "unix:\(TestMachine.socket),server=on,wait=on",
        "-kernel", kernel.file, "-initrd", kernel.initrd, "-append", kernel.arguments,
      ] + scene.arguments(hasOneOwner: self == .bare) + more)
  }

  /// KVM's host keeps to the processors that its guests are on.
  private func hostArguments(_ scene: Scene) -> String {
    let device =
      switch scene {
      case .one, .four, .exits, .counts: ""
      case .card: " intel_iommu=on card=0000:00:04.0"
      case .disk: " disk=/dev/sda"
      }
    return "console=ttyS0 quiet loglevel=3 isolcpus=0 irqaffinity=1,2 guests=\(scene.guests)\(device)"
  }
}
