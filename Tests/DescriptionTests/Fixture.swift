// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import Description

/// The descriptions and files under `Fixtures`.
enum Fixture {
  static var folder: URL {
    Bundle.module.resourceURL?.appending(path: "Fixtures") ?? URL(filePath: "Fixtures")
  }

  /// The repository's own descriptions.
  static var systems: URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../systems").standardized
  }

  static func bytes(_ kind: String, _ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: "\(kind)/\(name).yaml")))
  }

  static func names(_ kind: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: kind).path)
      .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }

  static func parse(_ kind: String, _ name: String) throws -> System {
    try Description.parse(
      bytes(kind, name), file: "\(name).yaml", folder: folder.appending(path: kind).path)
  }
}
