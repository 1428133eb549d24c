// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

/// An emulated computer, put together by hand: for what `roost run` does not emulate.
struct Computer {
  /// The serial port that the console is on.
  enum Port { case com1, com2 }

  var accelerator = "tcg,thread=multi"
  var machine = "q35,sata=off"
  var processor = "EPYC,+svm,+npt"
  /// With the one that is left idle (decision 14).
  var processors = 2
  var memory = "1G"
  var console = Port.com2
  var kernelArguments = ""
  /// Further arguments of the emulator.
  var devices: [String] = []

  /// Boots `description`, a path from the root.
  func boot(_ description: String) async throws -> TestMachine {
    let image = "\(Repository.root)/.build/\(description.split(separator: "/").last ?? "").image"
    try await Tool.run([Repository.roost, "build", "\(Repository.root)/\(description)", "-o", image])
    let serial = ["-serial", "unix:\(TestMachine.socket),server=on,wait=on"]
    return try await TestMachine(
      command: [
        "qemu-system-x86_64", "-accel", accelerator, "-machine", machine, "-cpu", processor,
        "-smp", "\(processors)", "-m", memory, "-display", "none", "-nodefaults", "-no-reboot",
        "-kernel", Repository.image("KernelImage"), "-initrd", image, "-append", kernelArguments,
      ] + (console == .com1 ? serial : ["-serial", "null"] + serial) + devices)
  }

  /// Boots it, with the emulator's own console beside.
  func bootWithMonitor(_ description: String) async throws -> (TestMachine, Monitor) {
    var computer = self
    // Short, since the path of a socket has at most 107 bytes (unix(7)).
    let path = "/tmp/roost-\(String(UInt64.random(in: 0 ... .max), radix: 36)).monitor"
    computer.devices += ["-monitor", "unix:\(path),server=on,wait=off"]
    let system = try await computer.boot(description)
    return (system, try await Monitor(path))
  }
}
