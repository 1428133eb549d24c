// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver

/// The files that the benchmark boots.
enum Material {
  static let folder = "\(Repository.root)/.cache/bench"

  /// The name, in `folder`, of the boot image for `guests` guests.
  static func image(guests: Int) -> String { "roost-\(guests).image" }

  /// Makes what is not there yet.
  static func make(_ subjects: [Subject]) async throws {
    try await Tool.run(["\(Repository.root)/Benchmarks/Material/make", folder])
    guard subjects.contains(.roost) else { return }
    for (guests, description) in [(1, "one"), (4, "four")] {
      try await Tool.run([
        Repository.roost, "build", "\(Repository.root)/Benchmarks/\(description).yaml",
        "-o", "\(folder)/\(image(guests: guests))",
      ])
    }
  }
}
