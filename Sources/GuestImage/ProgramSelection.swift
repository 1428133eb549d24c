// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// The programs of a guest that busybox lacks, with the libraries that they need, out of Debian's packages.
enum ProgramSelection {
  /// A file of a package: where it is there, and in the guest.
  struct Part {
    var package: String
    var source: String
    var target: String
    var permissions: UInt32 = 0o755
  }

  /// What makes and checks file systems, which busybox of Debian can only mount, and what filters packets and translates
  /// addresses.
  static func parts(for architecture: DebianArchitecture) -> [Part] {
    let folder = "lib/\(architecture.libraryFolder)"
    let usr = "usr/\(folder)"
    let libraries = [
      ("libc6", folder, "libc.so.6"), ("libext2fs2", folder, "libext2fs.so.2"), ("libext2fs2", folder, "libe2p.so.2"),
      ("libcom-err2", folder, "libcom_err.so.2"), ("libblkid1", usr, "libblkid.so.1"),
      ("libuuid1", usr, "libuuid.so.1"), ("libip4tc2", usr, "libip4tc.so.2"), ("libip6tc2", usr, "libip6tc.so.2"),
      ("libxtables12", usr, "libxtables.so.12"),
    ]
    // It looks for these where it was made to.
    let extensions = ["MASQUERADE", "SNAT", "DNAT", "standard", "tcp", "udp", "conntrack"].map {
      "\(usr)/xtables/libxt_\($0).so"
    }
    return [
      Part(package: "e2fsprogs", source: "sbin/mke2fs", target: "sbin/mke2fs"),
      Part(package: "e2fsprogs", source: "sbin/e2fsck", target: "sbin/e2fsck"),
      Part(package: "e2fsprogs", source: "etc/mke2fs.conf", target: "etc/mke2fs.conf", permissions: 0o644),
      Part(package: "iptables", source: "usr/sbin/xtables-legacy-multi", target: "sbin/xtables-legacy-multi"),
      Part(package: "libc6", source: "\(folder)/\(architecture.loader.name)", target: architecture.loader.path),
    ] + libraries.map { Part(package: $0.0, source: "\($0.1)/\($0.2)", target: "\(folder)/\($0.2)") }
      + extensions.map { Part(package: "iptables", source: $0, target: $0) }
  }

  /// Other names of these programs, which say what they are to do.
  static let links = [
    ("sbin/mkfs.ext2", "mke2fs"), ("sbin/mkfs.ext3", "mke2fs"), ("sbin/mkfs.ext4", "mke2fs"),
    ("sbin/fsck.ext2", "e2fsck"), ("sbin/fsck.ext3", "e2fsck"), ("sbin/fsck.ext4", "e2fsck"),
    ("sbin/iptables", "xtables-legacy-multi"), ("sbin/iptables-save", "xtables-legacy-multi"),
    ("sbin/iptables-restore", "xtables-legacy-multi"),
    ("etc/mtab", "/proc/self/mounts"),
  ]
}

extension DebianArchitecture {
  /// The folder of libraries in Debian's multiarch layout.
  fileprivate var libraryFolder: String {
    switch self {
    case .i386: "i386-linux-gnu"
    case .amd64: "x86_64-linux-gnu"
    }
  }

  /// What starts programs with libraries, and where programs look for it.
  fileprivate var loader: (name: String, path: String) {
    switch self {
    case .i386: ("ld-linux.so.2", "lib/ld-linux.so.2")
    case .amd64: ("ld-linux-x86-64.so.2", "lib64/ld-linux-x86-64.so.2")
    }
  }
}
