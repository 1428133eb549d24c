// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HostTools
import SystemPackage

/// What is done with files of the cache.
enum Files {
  static func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }

  static func read(_ path: FilePath) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path.string) else {
      throw MaterialError.file("\(path) cannot be read")
    }
    return [UInt8](data)
  }

  /// Writes a file in one piece: whoever else looks sees all of it or nothing.
  static func write(_ bytes: [UInt8], to path: FilePath) throws {
    try OutputFile.write(bytes, to: OutputPlace(path))
  }

  static func list(_ directory: FilePath) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.string).sorted()
  }

  /// The files anywhere below a directory, by their paths from it.
  static func listAll(_ directory: FilePath) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: directory.string)
  }

  static func createDirectory(_ path: FilePath) throws {
    try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
  }

  static func emptyDirectory(_ path: FilePath) throws -> FilePath {
    try remove(path)
    try createDirectory(path)
    return path
  }

  static func remove(_ path: FilePath) throws {
    if exists(path) { try FileManager.default.removeItem(atPath: path.string) }
  }

  /// Gives a file its final name, in place of one that has it.
  static func rename(_ path: FilePath, to target: FilePath) throws {
    try remove(target)
    try FileManager.default.moveItem(atPath: path.string, toPath: target.string)
  }
}
