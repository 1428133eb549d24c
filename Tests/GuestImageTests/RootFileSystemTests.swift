// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import GuestImage

/// The files that make the guest a machine one can log in to.
struct RootFileSystemTests {
  private func text(_ path: String) -> String {
    RootFileSystem.files.first { $0.path == path }.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
  }

  @Test func `the login prompt is on ttyS0 at 115200 and comes back`() {
    #expect(text("etc/inittab").contains("ttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100\n"))
  }

  @Test func `init takes the host's name, finds drivers, quiets the kernel and hands over`() throws {
    let script = text("init")
    let steps = [
      "mount -t proc", "--install -s", "read -r name </etc/hostname", "modprobe -a virtio_pci virtio_net",
      "modprobe -qa $aliases", "/proc/sys/kernel/printk", "exec /sbin/init",
    ]
    var rest = script[...]
    for step in steps {
      let place = try #require(rest.firstRange(of: step), "\(step) is missing or comes too early")
      rest = rest[place.upperBound...]
    }
    #expect(script.hasPrefix("#!/bin/sh\n"))
    #expect(!script.contains("sleep"))
  }

  @Test func `root's password is kept from others, and scripts can run`() {
    for file in RootFileSystem.files {
      let isScript = file.bytes.starts(with: "#!".utf8)
      #expect(file.permissions == (file.path == "etc/shadow" ? 0o600 : isScript ? 0o755 : 0o644), "\(file.path)")
      #expect(file.bytes.last == UInt8(ascii: "\n"), "\(file.path)")
    }
  }

  @Test func `another kernel gives another fingerprint, the same kernel the same`() {
    #expect(RootFileSystem.fingerprint(kernel: "a") != RootFileSystem.fingerprint(kernel: "b"))
    #expect(RootFileSystem.fingerprint(kernel: "a") == RootFileSystem.fingerprint(kernel: "a"))
  }

  @Test func `the concrete kernel is what the meta package depends on`() {
    let answer = """
      linux-image-686
        Depends: linux-image-6.1.0-50-686
        Conflicts: <linux-headers>
      """
    #expect(DebianArchive.kernelPackage(inDependencies: answer) == "linux-image-6.1.0-50-686")
    #expect(DebianArchive.kernelPackage(inDependencies: "  Depends: linux-image-x:i386") == "linux-image-x")
    #expect(DebianArchive.kernelPackage(inDependencies: "E: No packages found") == nil)
  }
}
