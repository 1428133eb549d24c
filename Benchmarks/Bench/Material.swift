// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

/// The files that the benchmark boots.
enum Material {
  static let folder = "\(Repository.root)/.cache/bench"

  /// The name, in `folder`, of Roost's boot image.
  static func image(_ scene: Scene) -> String { "roost-\(scene.rawValue).image" }

  /// Makes what is not there yet.
  static func make(_ subjects: [Subject]) async throws {
    try await Tool.run(["\(Repository.root)/Benchmarks/Material/make", folder])
    guard subjects.contains(.roost) else { return }
    for scene in Scene.allCases {
      try await Tool.run([
        Repository.roost, "build", "\(Repository.root)/Benchmarks/\(scene.rawValue).yaml",
        "-o", "\(folder)/\(image(scene))",
      ])
    }
  }
}
