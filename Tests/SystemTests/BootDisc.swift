// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver

/// A disc with GRUB, the kernel and an image, as a person would burn it.
enum BootDisc {
  /// Makes the disc `name` for a description, by its path from the root.
  /// - Returns: The path of the disc.
  static func make(_ name: String, _ description: String = "systems/minimal.yaml", arguments: String = "") async throws
    -> String
  {
    let folder = "\(Repository.root)/.build/\(name)"
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder + "/boot/grub", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Repository.image("KernelImage"), toPath: folder + "/boot/roost")
    try await Tool.run([Repository.roost, "build", "\(Repository.root)/\(description)", "-o", folder + "/boot/image"])
    let menu =
      "set timeout=0\nmenuentry roost {\n multiboot2 /boot/roost \(arguments)\n module2 /boot/image\n}\n"
    try menu.write(toFile: folder + "/boot/grub/grub.cfg", atomically: true, encoding: .utf8)
    try await Tool.run(["grub-mkrescue", "-o", folder + ".iso", folder])
    return folder + ".iso"
  }
}
