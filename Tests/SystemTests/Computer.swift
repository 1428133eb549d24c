// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

/// An emulated computer, put together by hand.
struct Computer {
  var processor = "EPYC,+svm,+npt"
  var processors = 2
  var memory = "1G"
  var kernelArguments = ""

  /// Boots `description`; the console is on COM2.
  func boot(_ description: String) async throws -> TestMachine {
    let image = "\(Repository.root)/.build/\(description.split(separator: "/").last ?? "").image"
    try await Tool.run([Repository.roost, "build", "\(Repository.root)/\(description)", "-o", image])
    return try await TestMachine(command: [
      "qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", processor, "-smp", "\(processors)", "-m", memory,
      "-display", "none", "-nodefaults", "-no-reboot",
      "-serial", "null", "-serial", "unix:\(TestMachine.socket),server=on,wait=on",
      "-kernel", Repository.image("KernelImage"), "-initrd", image, "-append", kernelArguments,
    ])
  }
}
