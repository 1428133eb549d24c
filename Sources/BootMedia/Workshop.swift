// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HostTools
import SystemPackage

/// A folder near the result, in which tools work and name files without a path; gone at the end.
struct Workshop: ~Copyable {
  let folder: FilePath
  private let tools: ToolRunner

  /// Makes the folder in another one, on whose file system the result will be.
  init(in parent: FilePath, tools: ToolRunner) throws {
    folder = parent.appending(".roost-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
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
    try OutputFile.write(bytes, to: OutputPlace(path(name)))
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

  /// Moves the files of a medium's folder out of here, into that folder, which is made if it is not there.
  func deliver(_ target: MediumPlace) throws {
    try target.place.requireFolder()
    try FileManager.default.createDirectory(atPath: target.place.path.string, withIntermediateDirectories: true)
    for name in target.format.files { try OutputFile.move(path(name), to: target.member(name)) }
  }
}
