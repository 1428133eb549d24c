// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
package import SystemPackage

/// Writes files of the host, each of them only where a file may be.
package enum OutputFile {
  /// Writes a file in one piece: whoever has the old one open keeps it, and nobody sees half of the new one.
  package static func write(_ bytes: [UInt8], to place: OutputPlace) throws {
    try place.requireFile()
    try makeFolder(of: place)
    try Data(bytes).write(to: URL(filePath: place.path.string), options: .atomic)
  }

  /// Makes a file, or empties one, and opens it.
  package static func open(_ place: OutputPlace) throws -> FileDescriptor {
    try place.requireFile()
    try makeFolder(of: place)
    return try FileDescriptor.open(
      place.path, .readWrite, options: [.create, .truncate, .closeOnExec],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
  }

  /// Makes a file where there is none, and opens it.
  package static func create(_ place: OutputPlace) throws -> FileDescriptor {
    try place.requireFile()
    try makeFolder(of: place)
    return try FileDescriptor.open(
      place.path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
  }

  /// Gives a finished file its place, in one step.
  package static func move(_ file: FilePath, to place: OutputPlace) throws {
    try place.requireFile()
    // SAFETY: both texts live across the call, and end in a zero.
    guard unsafe rename(file.string, place.path.string) != 0 else { return }
    let error = Errno(rawValue: errno)
    guard error == .improperLink else { throw OutputProblem.unusable(place.name, error) }
    // A link has led to another file system.
    try write([UInt8](try Data(contentsOf: URL(filePath: file.string))), to: place)
  }

  private static func makeFolder(of place: OutputPlace) throws {
    let folder = place.path.removingLastComponent()
    guard !folder.isEmpty else { return }
    try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
  }
}
