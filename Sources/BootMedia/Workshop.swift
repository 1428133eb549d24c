// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HostTools
import SystemPackage

/// A folder beside the result, in which tools work and name files without a path; gone at the end.
struct Workshop: ~Copyable {
  let folder: FilePath
  private let tools: ToolRunner

  init(beside output: FilePath, tools: ToolRunner) throws {
    let name = ".\(output.lastComponent?.string ?? "medium").\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    folder = output.removingLastComponent().appending(name)
    self.tools = tools
    try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder.string) }

  func path(_ name: String) -> FilePath { folder.appending(name) }

  /// Runs a tool, with nothing of this time and place that it could write down.
  func run(_ tool: Tool, _ arguments: [String]) async throws {
    try await tools.run(tool, arguments, in: folder, environment: BuildDate.environment)
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    try makeFolder(FilePath(name).removingLastComponent().string)
    try Data(bytes).write(to: URL(filePath: path(name).string))
  }

  func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

  func read(_ name: String) throws -> [UInt8] { try FileBytes.read(path(name).string) }

  /// The names in a folder, sorted.
  func list(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name).string).sorted()
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name).string) }

  func makeFolder(_ name: String) throws {
    guard !name.isEmpty else { return }
    try FileManager.default.createDirectory(atPath: path(name).string, withIntermediateDirectories: true)
  }

  /// Moves a file out of here, in place of one that has its name.
  func deliver(_ name: String, as output: FilePath) throws {
    guard !Self.isFolder(output) else { throw MediumError.isFolder(output.string) }
    if FileManager.default.fileExists(atPath: output.string) {
      try FileManager.default.removeItem(atPath: output.string)
    }
    try FileManager.default.moveItem(atPath: path(name).string, toPath: output.string)
  }

  /// Moves files out of here, into a folder that is made if it is not there.
  func deliver(_ names: [String], into output: FilePath) throws {
    guard Self.isFolder(output) || !FileManager.default.fileExists(atPath: output.string) else {
      throw MediumError.isNoFolder(output.string)
    }
    try FileManager.default.createDirectory(atPath: output.string, withIntermediateDirectories: true)
    for name in names { try deliver(name, as: output.appending(name)) }
  }

  private static func isFolder(_ path: FilePath) -> Bool {
    var isFolder = false
    return FileManager.default.fileExists(atPath: path.string, isDirectory: &isFolder) && isFolder
  }
}
