// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

extension SystemTests {
  /// What `roost build` makes for real computers, started as they would.
  @Suite(.serialized)
  struct BootLoaderTests {
    @Test func `one disc boots with a BIOS and with UEFI`() async throws {
      let disc = try await Medium("iso")
      for firmware in [[], Medium.uefi] {
        try await Medium.logIn(try await Medium.boot(firmware + ["-cdrom", disc.path]))
      }
    }

    @Test(arguments: ["iso", "usb", "pxe", "kernel"])
    func `the same input gives the same bytes, in another folder and later`(format: String) async throws {
      let first = try await Medium(format, in: "media/first")
      // File systems and formats of archives count in seconds, FAT in two.
      try await Task.sleep(for: .seconds(2.1))
      let second = try await Medium(format, in: "media/second")

      #expect(try await Self.sums(first) == Self.sums(second))
    }

    /// The SHA-256 of every file, with its name in the medium.
    private static func sums(_ medium: Medium) async throws -> String {
      let command = "cd \"$0\"/.. && find \"$(basename \"$0\")\" -type f | LC_ALL=C sort | xargs sha256sum"
      return try await Tool.run(["sh", "-c", command, medium.path])
    }
  }
}
