// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostTools
import Logging
import SystemPackage
import TestDriver
import Testing

@testable import BootMedia

/// A medium goes where a person meant it to go, or nowhere.
struct MediumPlaceTests {
  private let folder: TemporaryFolder
  private let contents = BootContents(
    name: "rig", kernel: [1, 2], system: [3], material: [4], serialPort: .unit(0), baud: 115_200)

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> FilePath { FilePath(folder.path).appending(name) }

  private func write(_ format: BootFormat, to name: String, besides inputs: InputFiles = InputFiles()) async throws {
    let place = try MediumPlace(path(name), for: format, besides: inputs)
    let medium = BootMedium(contents, tools: ToolRunner(logger: Logger(label: "test")))
    try await medium.write(to: place, scratch: path("scratch"))
  }

  private func bytes(_ name: String) -> [UInt8]? {
    (try? Data(contentsOf: URL(filePath: folder.path + "/" + name))).map { [UInt8]($0) }
  }

  @Test func `an image is written through a link, and leaves nothing else behind`() async throws {
    _ = try folder.write([9, 9], to: "target")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "target")

    try await write(.image, to: "link")

    #expect(bytes("target") == [3, 4])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["link", "target"])
  }

  @Test(arguments: [BootFormat.image, .system, .iso, .usb, .kernel, .pxe])
  func `a pipe stays a pipe`(format: BootFormat) async throws {
    try await Tool.run(["mkfifo", folder.path + "/pipe"])

    await #expect(throws: OutputProblem.self) { try await write(format, to: "pipe") }

    #expect(try Stat(path("pipe")).type == .fifo)
  }

  @Test func `a folder's files replace files alone, and not what they are made of`() async throws {
    try await write(.kernel, to: "out")
    try await write(.kernel, to: "out")
    #expect(bytes("out/kernel") == [1, 2])
    #expect(bytes("out/image") == [3, 4])

    var inputs = InputFiles()
    inputs.add(path("out/kernel"), as: "the kernel of a")
    await #expect(throws: OutputProblem.isInput(path("out/kernel").string, "the kernel of a")) {
      try await write(.kernel, to: "out", besides: inputs)
    }
    try FileManager.default.removeItem(atPath: folder.path + "/out/image")
    try FileManager.default.createDirectory(atPath: folder.path + "/out/image", withIntermediateDirectories: false)
    await #expect(throws: OutputProblem.isFolder(path("out/image").string)) { try await write(.kernel, to: "out") }
  }

  @Test func `a folder is no file, and a file no folder`() async throws {
    _ = try folder.write([9], to: "file")

    await #expect(throws: OutputProblem.isFolder(folder.path)) { try await write(.image, to: "") }
    await #expect(throws: OutputProblem.isNoFolder(path("file").string)) { try await write(.pxe, to: "file") }
    #expect(bytes("file") == [9])
  }
}
