// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// The guest's file tree: busybox, a few files of ours (`Root/`), and the kernel's modules.
enum RootFileSystem {
  /// The files of `Root/`: where they go, how, and what is in them.
  static let files: [(path: String, permissions: UInt32, bytes: [UInt8])] = [
    ("init", 0o755, PackageResources.init_sh),
    ("etc/inittab", 0o644, PackageResources.inittab),
    ("etc/passwd", 0o644, PackageResources.passwd),
    ("etc/shadow", 0o600, PackageResources.shadow),
    ("etc/group", 0o644, PackageResources.group),
    ("etc/hosts", 0o644, PackageResources.hosts),
    ("etc/filesystems", 0o644, PackageResources.filesystems),
    ("etc/profile", 0o644, PackageResources.profile),
    ("etc/udhcpc/default.script", 0o755, PackageResources.udhcpc_script),
  ]

  private static let directories = ["bin", "dev", "mnt", "proc", "root", "run", "sbin", "sys", "usr/bin", "usr/sbin"]

  /// The tree, with those of `ModuleSelection.names` that the kernel has as modules.
  /// - Parameter modules: The kernel's folder in lib/modules.
  static func tree(busybox: FilePath, modules: FilePath, release: String) throws -> CPIOArchive {
    var tree = CPIOArchive()
    for directory in directories { tree.add(CPIOEntry(directory, 0o755, .directory)) }
    tree.add(CPIOEntry("tmp", 0o1777, .directory))
    // The kernel opens it for /init before anything is mounted on /dev.
    tree.add(CPIOEntry("dev/console", 0o600, .characterDevice(major: 5, minor: 1)))
    tree.add(CPIOEntry("bin/busybox", 0o755, .file(try Files.read(busybox))))
    tree.add(CPIOEntry("bin/sh", 0o777, .symbolicLink(to: "busybox")))
    for file in files { tree.add(CPIOEntry(file.path, file.permissions, .file(file.bytes))) }
    for (path, target) in ProgramSelection.links { tree.add(CPIOEntry(path, 0o777, .symbolicLink(to: target))) }
    try addModules(from: modules, to: &tree, at: "lib/modules/\(release)")
    return tree
  }

  private static func addModules(from folder: FilePath, to tree: inout CPIOArchive, at target: String) throws {
    let suffix = ".ko"
    var paths: [String: String] = [:]
    for path in try Files.listAll(folder) where path.hasSuffix(suffix) {
      let file = path[path.index(after: path.lastIndex(of: "/") ?? path.startIndex)...]
      paths[ModuleInformation.canonical(file.dropLast(suffix.count))] = path
    }
    var contents: [String: [UInt8]] = [:]
    let selection = try ModuleSelection(ModuleSelection.names) { (name) throws -> ModuleInformation? in
      guard let path = paths[name] else { return nil }
      let bytes = try Files.read(folder.pushing(FilePath(path)))
      guard let information = ModuleInformation(module: bytes) else { throw MaterialError.notAModule(path) }
      contents[name] = bytes
      return information
    }
    for (name, bytes) in contents { tree.add(CPIOEntry("\(target)/\(name).ko", 0o644, .file(bytes))) }
    tree.add(CPIOEntry("\(target)/modules.dep", 0o644, .file(Array(selection.dependencyTable.utf8))))
    tree.add(CPIOEntry("\(target)/modules.alias", 0o644, .file(Array(selection.aliasTable.utf8))))
  }

  /// Changes whenever the tree would, for a given busybox: a part of the cached file's name.
  static func fingerprint(kernel: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    func mix(_ bytes: some Sequence<UInt8>) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
    mix(kernel.utf8)
    for name in ModuleSelection.names + directories { mix(name.utf8) }
    for architecture in DebianArchitecture.allCases {
      for part in ProgramSelection.parts(for: architecture) { mix(part.target.utf8) }
    }
    for (path, _) in ProgramSelection.links { mix(path.utf8) }
    for file in files {
      mix(file.path.utf8)
      mix(file.bytes)
    }
    return String(hash, radix: 16)
  }
}
