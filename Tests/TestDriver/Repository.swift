// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where the sources and what was built from them are.
package enum Repository {
  /// The folder of Package.swift.
  package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// The `roost` tool, built beside whatever runs now.
  package static var roost: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map {
      $0.prefix(upTo: $0.lastIndex(of: "/") ?? $0.endIndex) + "/roost"
    } ?? "roost"
  }

  /// The release build of an executable for the machine itself.
  package static func image(_ name: String) -> String { "\(images("bare"))/\(name)" }

  /// The folder of the images whose VMM traps on its guest's demand (`make faulty`).
  package static var faultyImages: String { images("faulty") }

  /// The folder of a release build for the machine itself.
  private static func images(_ build: String) -> String { "\(root)/.build/\(build)/x86_64-unknown-none-elf/release" }

  /// The paths, from the root, of all files under `folder` with one of `extensions`; what is built or fetched is left out.
  package static func files(under folder: String, _ extensions: Set<String>) -> [String] {
    let all = FileManager.default.enumerator(atPath: "\(root)/\(folder)")?.compactMap { $0 as? String } ?? []
    return all.filter { extensions.contains(($0 as NSString).pathExtension) }.map { "\(folder)/\($0)" }.sorted()
  }

  /// A file's text, by its path from the root.
  package static func text(_ path: String) throws -> String {
    try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
  }
}
