// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import DiskImage
import Foundation
import TestDriver

/// The files that the benchmark boots.
enum Material {
  static let folder = "\(Repository.root)/.cache/bench"

  /// The name, in `folder`, of Roost's boot image.
  static func image(_ scene: Scene) -> String { "roost-\(scene.rawValue).image" }

  /// A file that stands for a SATA disk.
  static let disk = "\(folder)/disk.raw"

  /// Makes what is not there yet.
  static func make(_ subjects: [Subject]) async throws {
    try await Tool.run(["\(Repository.root)/Benchmarks/Material/make", folder])
    try makeDisk()
    guard subjects.contains(.roost) else { return }
    for scene in Scene.allCases where scene.isDescribed {
      try await Tool.run([
        Repository.roost, "build", "\(Repository.root)/Benchmarks/\(scene.rawValue).yaml",
        "-o", "\(folder)/\(image(scene))",
      ])
    }
  }

  /// An empty disk with one partition.
  private static func makeDisk() throws {
    let new = NewDisk(partitions: [NewPartition(number: 1)], signature: 0x1234_5678)
    try Data().write(to: URL(filePath: disk))
    let file = try FileHandle(forUpdating: URL(filePath: disk))
    try file.truncate(atOffset: UInt64(new.size))
    for piece in new.contents {
      try file.seek(toOffset: UInt64(piece.offset))
      try file.write(contentsOf: Data(piece.bytes))
    }
    try file.close()
  }
}
