// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

package import HostTools
package import SystemPackage

/// Told of each step that takes a person's time: what is done, and to what.
package struct Progress: Sendable {
  package let step: @Sendable (_ what: String, _ object: String) -> Void

  package init(step: @escaping @Sendable (_ what: String, _ object: String) -> Void) { self.step = step }
}

/// Makes what a guest boots from, out of Debian's own packages; what was made is kept in a cache.
package struct GuestMaterial: Sendable {
  let cache: FilePath
  let tools: ToolRunner
  let progress: Progress

  /// - Parameter cache: An absolute path; created when needed.
  package init(cache: FilePath, tools: ToolRunner, progress: Progress) {
    self.cache = cache
    self.tools = tools
    self.progress = progress
  }

  /// The newest stock kernel (`debian:i386`, `debian:amd64`): the file of a bzImage.
  package func kernel(_ architecture: DebianArchitecture) async throws(MaterialError) -> FilePath {
    try await MaterialError.wrapping {
      try await CacheLock.held(cache, progress) { try await Kernel(in: archive(architecture)).image }
    }
  }

  /// The small busybox system (`guest:busybox`) for that kernel: the file of a compressed initial RAM disk.
  /// `hostnameSegment` belongs behind it.
  /// - Parameter isForOwnKernel: Whether it is that kernel that will unpack it, and not one of which nothing is known.
  package func initrd(
    _ architecture: DebianArchitecture, isForOwnKernel: Bool
  ) async throws(MaterialError) -> FilePath {
    try await MaterialError.wrapping {
      try await CacheLock.held(cache, progress) {
        try await makeInitrd(in: archive(architecture), isForOwnKernel: isForOwnKernel)
      }
    }
  }

  private func makeInitrd(in archive: DebianArchive, isForOwnKernel: Bool) async throws -> FilePath {
    let kernel = try await Kernel(in: archive)
    let busybox = try await archive.unpacked("busybox-static").appending("bin/busybox")
    let compression = await InitrdCompression(configuration: isForOwnKernel ? try kernel.configuration : "")
    let name = "initrd-\(RootFileSystem.fingerprint(kernel: kernel.package))"
    let result = archive.directory.appending("\(name).\(compression.suffix)")
    if Files.exists(result) { return result }
    progress.step("guest", "initial RAM disk for \(kernel.package)")
    var tree = try RootFileSystem.tree(busybox: busybox, modules: kernel.modules, release: kernel.release)
    for part in ProgramSelection.parts(for: archive.architecture) {
      let bytes = try Files.read(try await archive.unpacked(part.package).pushing(FilePath(part.source)))
      tree.add(CPIOEntry(part.target, part.permissions, .file(bytes)))
    }
    let plain = archive.directory.appending("initrd.cpio")
    try Files.write(tree.bytes, to: plain)
    try await tools.run(compression.tool, compression.arguments + [plain.string])
    try Files.rename(archive.directory.appending("initrd.cpio.\(compression.suffix)"), to: result)
    return result
  }

  /// A cpio archive that names the VM, to be appended to the initrd: the kernel unpacks one after the other, zeros
  /// between them, as long as it starts at a multiple of 4 bytes
  /// (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
  package static func hostnameSegment(_ name: String) -> [UInt8] {
    var archive = CPIOArchive()
    archive.add(CPIOEntry("etc/hostname", 0o644, .file(Array("\(name)\n".utf8))))
    return archive.bytes
  }

  private func archive(_ architecture: DebianArchitecture) -> DebianArchive {
    DebianArchive(
      architecture: architecture, directory: cache.appending("debian-\(architecture.rawValue)"), tools: tools,
      progress: progress)
  }
}

/// A kernel's package, unpacked.
private struct Kernel {
  let package: String
  let image: FilePath
  let modules: FilePath
  let release: String
  /// What it was built with, in lines such as "CONFIG_PCI=y".
  var configuration: String {
    get throws {
      let path = image.removingLastComponent().appending("config-\(release)")
      return String(decoding: try Files.read(path), as: UTF8.self)
    }
  }

  init(in archive: DebianArchive) async throws {
    package = try await archive.kernelPackage()
    let folder = try await archive.unpacked(package)
    guard let image = try Files.list(folder.appending("boot")).first(where: { $0.hasPrefix("vmlinuz-") }) else {
      throw MaterialError.noPackage(package)
    }
    release = String(image.dropFirst("vmlinuz-".count))
    self.image = folder.appending("boot").appending(image)
    modules = folder.appending("lib/modules").appending(release)
  }
}
