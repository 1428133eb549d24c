// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

extension SystemTests {
  /// The other way in: GRUB, by multiboot2, from a disc as a person would burn it.
  @Suite(.serialized)
  struct BootLoaderTests {
    @Test func `GRUB boots the same kernel and image to a log-in`() async throws {
      let disc = try await BootDisc.make("disc")
      let machine = try await TestMachine(command: [
        "qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "EPYC,+svm,+npt", "-m", "512",
        "-display", "none", "-nodefaults", "-vga", "std", "-no-reboot", "-cdrom", disc,
        "-serial", "null", "-serial", "unix:\(TestMachine.socket),server=on,wait=on",
      ])
      try await machine.expect("tiny login:", within: .seconds(180))
      await machine.end()
    }
  }
}
