// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HostTools
import SystemPackage

/// An architecture of Debian's packages, by Debian's name.
package enum DebianArchitecture: String, CaseIterable, Sendable {
  case i386
  case amd64

  /// The package that always depends on the newest kernel's own package.
  var kernelMetaPackage: String {
    switch self {
    case .i386: "linux-image-686"
    case .amd64: "linux-image-amd64"
    }
  }
}

/// Fetches Debian's packages of any architecture, without root rights and without touching the host's own apt.
///
/// Everything is kept below `directory`, one folder for each package, and used from there the next time: no network is
/// needed then, and a system keeps its kernel until the cache is removed.
struct DebianArchive: Sendable {
  let architecture: DebianArchitecture
  let directory: FilePath
  let tools: ToolRunner
  let progress: Progress

  /// The package of the kernel itself, which the meta package depends on.
  func kernelPackage() async throws -> String {
    let record = directory.appending("kernel-package")
    if let known = try? String(contentsOfFile: record.string, encoding: .utf8) { return known }
    try await updateOnce()
    let answer = try? await tools.run(.aptCache, options + ["depends", architecture.kernelMetaPackage])
    guard let name = Self.kernelPackage(inDependencies: answer ?? "") else {
      try forgetUpdate()
      throw MaterialError.noKernelPackage(architecture)
    }
    try Files.write(Array(name.utf8), to: record)
    return name
  }

  /// The package that `apt-cache depends` names for a kernel's meta package.
  static func kernelPackage(inDependencies answer: String) -> String? {
    for line in answer.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "Depends:", words[1].hasPrefix("linux-image-") {
        return String(words[1].prefix { $0 != ":" })
      }
    }
    return nil
  }

  /// The folder with a package's files.
  func unpacked(_ package: String) async throws -> FilePath {
    let folder = directory.appending(package)
    if Files.exists(folder) { return folder }
    try await updateOnce()
    progress.step("download", "\(package) (\(architecture.rawValue))")
    let download = try Files.emptyDirectory(directory.appending("download"))
    if try await !succeeds(.aptGet, ["download", package], in: download) {
      // The index may be older than what the mirror has.
      try forgetUpdate()
      try await updateOnce()
      try await tools.run(.aptGet, options + ["download", package], in: download)
    }
    guard let file = try Files.list(download).first(where: { $0.hasSuffix(".deb") }) else {
      throw MaterialError.noPackage(package)
    }
    let fresh = try Files.emptyDirectory(directory.appending("unpacking"))
    try await tools.run(.dpkgDeb, ["--extract", download.appending(file).string, fresh.string])
    try Files.rename(fresh, to: folder)
    try Files.remove(download)
    return folder
  }

  /// Loads the package indexes, unless that was done before. One that fails to load (a mirror often has no security
  /// index for an older architecture) is no reason to stop: what is missing shows when a package is asked for.
  private func updateOnce() async throws {
    if Files.exists(updateMark) { return }
    try Files.createDirectory(directory.appending("lists/partial"))
    try Files.createDirectory(directory.appending("cache/archives/partial"))
    progress.step("packages", "index for \(architecture.rawValue)")
    _ = try await succeeds(.aptGet, ["update"])
    try Files.write([], to: updateMark)
  }

  /// Runs a tool that may well fail; only one that cannot run at all is an error.
  private func succeeds(_ tool: Tool, _ arguments: [String], in directory: FilePath? = nil) async throws -> Bool {
    do {
      try await tools.run(tool, options + arguments, in: directory)
      return true
    } catch {
      guard case .failed = error else { throw error }
      return false
    }
  }

  private var updateMark: FilePath { directory.appending("updated") }

  private func forgetUpdate() throws { try Files.remove(updateMark) }

  private var options: [String] {
    [
      "-qq",
      "-oAPT::Architecture=\(architecture.rawValue)",
      "-oAPT::Architectures=\(architecture.rawValue)",
      "-oDir::State::Lists=\(directory.appending("lists"))",
      "-oDir::State::status=/dev/null",
      "-oDir::Cache=\(directory.appending("cache"))",
      // Downloads go to folders that apt's own user may not enter.
      "-oAPT::Sandbox::User=root",
    ]
  }
}
