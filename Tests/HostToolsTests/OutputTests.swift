// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemPackage
import TestDriver
import Testing

@testable import HostTools

/// Nothing but a file is ever replaced by a file.
struct OutputTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> FilePath { FilePath(folder.path).appending(name) }

  private func text(_ name: String) -> String? {
    try? String(contentsOfFile: folder.path + "/" + name, encoding: .utf8)
  }

  private func isPipe(_ name: String) throws -> Bool { try Stat(path(name)).type == .fifo }

  @Test func `a file is replaced in one piece and its folder made`() throws {
    try OutputFile.write(Array("one".utf8), to: OutputPlace(path("new/file")))
    let old = try FileDescriptor.open(path("new/file"), .readOnly)
    defer { try? old.close() }
    try OutputFile.write(Array("two".utf8), to: OutputPlace(path("new/file")))

    #expect(text("new/file") == "two")
    #expect(try old.seek(offset: 0, from: .end) == 3)
  }

  @Test func `links are followed to their end, be there something or not`() throws {
    _ = try folder.write(Array("old".utf8), to: "target")
    for (link, target) in [("one", "two"), ("two", "target"), ("three", "none")] {
      try FileManager.default.createSymbolicLink(atPath: folder.path + "/" + link, withDestinationPath: target)
    }
    _ = try folder.write(Array("new".utf8), to: "finished")

    try OutputFile.move(path("finished"), to: OutputPlace(path("one")))
    try OutputFile.write(Array("made".utf8), to: OutputPlace(path("three")))

    #expect(text("target") == "new")
    #expect(text("none") == "made")
    #expect(try Stat(path("one"), followTargetSymlink: false).type == .symbolicLink)
    #expect(try Stat(path("three"), followTargetSymlink: false).type == .symbolicLink)
  }

  @Test func `links without an end are refused`() throws {
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/loop", withDestinationPath: "loop")

    #expect(throws: OutputProblem.unusable(path("loop").string, .tooManySymbolicLinkLevels)) {
      try OutputPlace(path("loop"))
    }
  }

  @Test(arguments: ["pipe", "link"])
  func `what is no file stays what it is`(name: String) async throws {
    try await Tool.run(["mkfifo", folder.path + "/pipe"])
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "pipe")
    _ = try folder.write([1], to: "finished")
    let place = try OutputPlace(path(name))

    #expect(throws: OutputProblem.isSpecial(place.name, .pipe)) { try OutputFile.write([1], to: place) }
    #expect(throws: OutputProblem.isSpecial(place.name, .pipe)) { try OutputFile.open(place) }
    #expect(throws: OutputProblem.isSpecial(place.name, .pipe)) { try OutputFile.create(place) }
    #expect(throws: OutputProblem.isSpecial(place.name, .pipe)) { try OutputFile.move(path("finished"), to: place) }
    #expect(try isPipe("pipe"))
  }

  @Test func `folders, devices and pipes of others are told apart`() throws {
    #expect(throws: OutputProblem.isFolder(folder.path)) { try OutputFile.write([], to: OutputPlace(path(""))) }
    #expect(throws: OutputProblem.isSpecial("/dev/null", .characterDevice)) {
      try OutputFile.write([], to: OutputPlace("/dev/null"))
    }
    #expect(throws: OutputProblem.isNoSocket("/dev/null")) { try OutputPlace("/dev/null").requireSocket() }
    #expect(throws: OutputProblem.isNoFolder("/dev/null")) { try OutputPlace("/dev/null").requireFolder() }
    #expect(throws: Never.self) { try OutputPlace(path("none")).requireSocket() }
  }

  @Test func `what something is made of is not written over, whatever it is called`() throws {
    _ = try folder.write(Array("name: x".utf8), to: "system.yaml")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/soft", withDestinationPath: "system.yaml")
    try FileManager.default.linkItem(atPath: folder.path + "/system.yaml", toPath: folder.path + "/hard")
    var inputs = InputFiles()
    inputs.add(path("system.yaml"), as: "the description")

    for name in ["system.yaml", "soft", "hard", "./system.yaml"] {
      let place = try OutputPlace(path(name))
      #expect(throws: OutputProblem.isInput(place.name, "the description")) { try place.requireFile(besides: inputs) }
    }
  }

  // MARK: - Devices; a file stands for one, as Linux opens both in the same way

  @Test func `a device is written from its start, read back, and keeps the rest`() throws {
    let contents = (0..<9 << 20).map { UInt8(truncatingIfNeeded: $0 >> 3) }
    _ = try folder.write(contents, to: "finished")
    _ = try folder.write([UInt8](repeating: 7, count: contents.count + 512), to: "device")
    var seen: [Int64] = []

    try OutputDevice(OutputPlace(path("device"))).write(path("finished")) { done, total in
      #expect(total == Int64(2 * contents.count))
      seen.append(done)
    }

    let written = [UInt8](try Data(contentsOf: URL(filePath: folder.path + "/device")))
    #expect(written == contents + [UInt8](repeating: 7, count: 512))
    #expect(seen == seen.sorted() && seen.last == Int64(2 * contents.count))
  }

  @Test func `a device that is too small is not begun`() throws {
    _ = try folder.write([UInt8](repeating: 1, count: 1025), to: "finished")
    let device = try folder.write([UInt8](repeating: 7, count: 1024), to: "device")

    #expect(throws: OutputProblem.deviceTooSmall(device, bytes: 1024, needed: 1025)) {
      try OutputDevice(OutputPlace(path("device"))).write(path("finished")) { _, _ in }
    }
    #expect(try Data(contentsOf: URL(filePath: device)).allSatisfy { $0 == 7 })
  }

  @Test func `a byte that is not given back is found`() {
    #expect(OutputDevice.firstDifference([1, 2, 3], [1, 2, 3]) == nil)
    #expect(OutputDevice.firstDifference([1, 2, 3], [1, 9, 3]) == 1)
    #expect(OutputDevice.firstDifference([1, 2, 3], [1, 2]) == 2)
    #expect(OutputDevice.firstDifference([0, 1, 2][1...], [5, 5, 1, 2][2...]) == nil)
  }
}
