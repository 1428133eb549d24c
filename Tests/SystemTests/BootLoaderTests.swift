// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

extension SystemTests {
  /// The other way in: GRUB, by multiboot2, from a disc as a person would burn it.
  @Suite(.serialized)
  struct BootLoaderTests {
    @Test func `GRUB boots the same kernel and image to a log-in`() async throws {
      let disc = try await Self.disc()
      let machine = try await TestMachine(command: [
        "qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "EPYC,+svm,+npt", "-m", "512",
        "-display", "none", "-nodefaults", "-vga", "std", "-no-reboot", "-cdrom", disc,
        "-serial", "null", "-serial", "unix:\(TestMachine.socket),server=on,wait=on",
      ])
      try await machine.expect("tiny login:", within: .seconds(180))
      await machine.end()
    }

    /// A disc with GRUB, the kernel and the image of `systems/minimal.yaml`.
    private static func disc() async throws -> String {
      let folder = "\(Repository.root)/.build/disc"
      try? FileManager.default.removeItem(atPath: folder)
      try FileManager.default.createDirectory(atPath: folder + "/boot/grub", withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: Repository.image("KernelImage"), toPath: folder + "/boot/roost")
      try await Tool.run([
        Repository.roost, "build", "\(Repository.root)/systems/minimal.yaml", "-o", folder + "/boot/image",
      ])
      let menu = "set timeout=0\nmenuentry roost {\n multiboot2 /boot/roost\n module2 /boot/image\n}\n"
      try menu.write(toFile: folder + "/boot/grub/grub.cfg", atomically: true, encoding: .utf8)
      try await Tool.run(["grub-mkrescue", "-o", folder + ".iso", folder])
      return folder + ".iso"
    }
  }
}
