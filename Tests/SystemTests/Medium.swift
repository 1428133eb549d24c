// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

/// A boot medium of a description, made by `roost build`, and computers that start from it.
struct Medium {
  /// Its file or folder.
  let path: String

  /// Makes it in a folder of its own.
  init(_ format: String, of description: String = "systems/minimal.yaml", in folder: String = "media") async throws {
    let place = "\(Repository.root)/.build/\(folder)"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    path = "\(place)/minimal.\(format)"
    try await Tool.run([
      Repository.roost, "build", "\(Repository.root)/\(description)", "--format", format, "-o", path,
      "--components", Medium.components,
    ])
  }

  /// The folder of Roost's own programs.
  static var components: String { (Repository.image("") as NSString).standardizingPath }

  /// A description like `systems/minimal.yaml`, beside `medium`, whose VM is called `other`.
  static func renamed(in medium: Medium) throws -> String {
    let path = medium.path + ".yaml"
    let text = try Repository.text("systems/minimal.yaml").replacing("  tiny:", with: "  other:")
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// Starts a computer with the hardware that `devices` says; its console is COM2.
  static func boot(
    _ devices: [String], processors: Int = 1, memory: String = "256M"
  ) async throws -> TestMachine {
    try await TestMachine(
      command: [
        "qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "EPYC,+svm,+npt", "-smp", "\(processors)", "-m",
        memory,
        "-display", "none", "-nodefaults", "-vga", "std", "-no-reboot",
        "-serial", "null", "-serial", "unix:\(TestMachine.socket),server=on,wait=on",
      ] + devices)
  }

  /// A drive with the disc in it, which comes before all others.
  var asDisc: [String] {
    ["-drive", "if=none,id=disc,media=cdrom,readonly=on,file=\(path)", "-device", "ide-cd,drive=disc,bootindex=0"]
  }

  /// What the reference computer has: its IOMMU, a SATA drive, and a card behind a second root.
  static func supermicro(_ drive: TestDisk) -> [String] {
    [
      "intel-iommu,intremap=on",
      "pci-testdev,bus=pcie.0,addr=0x11.0,multifunction=on", "ich9-ahci,id=sata0,bus=pcie.0,addr=0x11.5",
      "ide-hd,drive=drive0,bus=sata0.0",
      "pxb-pcie,id=root,bus_nr=0x65,bus=pcie.0", "pcie-root-port,id=below,bus=root,chassis=1,slot=1",
      "e1000e,netdev=card,bus=below,addr=0.0,romfile=",
    ].reduce(["-drive", "file=\(drive.path),if=none,id=drive0,format=raw", "-netdev", "user,id=card"]) {
      $0 + ["-device", $1]
    }
  }

  /// UEFI in place of a BIOS; its settings are forgotten afterwards.
  static var uefi: [String] {
    [
      "-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
      "-drive", "if=pflash,format=raw,snapshot=on,file=/usr/share/OVMF/OVMF_VARS_4M.fd",
    ]
  }

  /// Waits for the log-in prompt, logs in and asks something.
  static func logIn(_ machine: TestMachine) async throws {
    try await machine.expect("Roost: loading minimal", within: .seconds(400))
    try await machine.expect("tiny login:", within: .seconds(400))
    machine.type("root\n")
    try await machine.expect("Password:")
    machine.type("root\n")
    try await machine.expect("# ")
    machine.type("expr 40 + 2\n")
    try await machine.expect(.line("42"))
    await machine.end()
  }
}
