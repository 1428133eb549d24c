// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemPackage

/// The folders Roost works in.
struct Project {
  /// The checkout that this program belongs to or was started in; `nil` if there is none.
  let checkout: FilePath?
  /// Where downloads and images are kept.
  let cache: FilePath

  init() {
    let environment = ProcessInfo.processInfo.environment
    let here = FileManager.default.currentDirectoryPath
    let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? here
    checkout = [FilePath(executable), FilePath(here)].lazy.compactMap(Self.checkout(around:)).first
    let home = environment["HOME"] ?? here
    // An empty variable counts as unset (XDG Base Directory Specification 0.8, §3).
    let named = environment["ROOST_CACHE"].flatMap { $0.isEmpty ? nil : FilePath(here).pushing(FilePath($0)) }
    let shared = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : FilePath($0) }
    cache = named ?? checkout?.appending(".cache") ?? (shared ?? FilePath(home).appending(".cache")).appending("roost")
  }

  /// The nearest folder from `path` up that holds Roost's sources.
  private static func checkout(around path: FilePath) -> FilePath? {
    var folder = path
    repeat {
      let marks = ["Package.swift", "toolset.json", "Sources/KernelImage"]
      if marks.allSatisfy({ FileManager.default.fileExists(atPath: folder.appending($0).string) }) { return folder }
    } while folder.removeLastComponent()
    return nil
  }
}
