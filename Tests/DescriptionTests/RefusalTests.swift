// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Description

/// The messages of every file of `Fixtures/refused`, as people see them; `FOLDER` stands for where the files are.
private let expected: [String: [String]] = {
  let text = try? String(contentsOf: Fixture.folder.appending(path: "refused/messages.txt"), encoding: .utf8)
  let lines = (text ?? "").split(separator: "\n").map(String.init)
  return Dictionary(grouping: lines) { String($0.prefix { $0 != ":" }.dropLast(".yaml".count)) }
}()

@Test(arguments: try Fixture.names("refused"))
func `a wrong description is refused with messages that say where and why`(name: String) throws {
  let folder = Fixture.folder.appending(path: "refused").path

  let error = #expect(throws: DescriptionErrors.self) { try Fixture.parse("refused", name) }

  let messages = error.map { $0.description.replacing(folder, with: "FOLDER") } ?? ""
  #expect(messages.split(separator: "\n").map(String.init) == expected[name])
}

@Test func `every message has its fixture`() throws {
  #expect(expected.keys.sorted() == (try Fixture.names("refused")))
}

@Test func `a message names file, line and column`() {
  let error = DescriptionError(
    file: "two.yaml", place: Place(line: 7, column: 13), problem: .resource(.noMachines))

  #expect(error.description == "two.yaml:7:13: error: there is no VM; describe at least one under 'vms'")
}

@Test func `a description that is not there is refused`() {
  let error = #expect(throws: DescriptionErrors.self) { try Description.load(path: "/no/such.yaml") }

  #expect(
    error?.description
      == "/no/such.yaml:1:1: error: the description cannot be read: there is no such file; check its path")
}

@Test func `a folder is no description`() {
  let error = #expect(throws: DescriptionErrors.self) { try Description.load(path: "/") }

  #expect(error?.description == "/:1:1: error: the description cannot be read: it is a folder; check its path")
}

@Test func `files that fill half of a VM's memory are refused`() throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try Data(count: 17 << 20).write(to: folder.appending(path: "initrd"))
  let yaml = """
    name: test
    console: { uart: com1 }
    vms: { vm0: { memory: 32 MiB, cores: [0], kernel: debian:i386, initrd: initrd } }
    """

  let error = #expect(throws: DescriptionErrors.self) {
    try Description.parse(Array(yaml.utf8), file: "x.yaml", folder: folder.path)
  }

  #expect(
    error?.description == "x.yaml:3:51: error: the kernel and initrd of VM 'vm0' take 17 MiB of its 32 MiB, "
      + "which leaves too little to unpack them; give it at least 36 MiB")
}

@Test func `a kernel is checked by the function handed in`() throws {
  let yaml = "name: test\nconsole: { uart: com1 }\nvms: { a: { memory: 1 GiB, cores: [0], kernel: vmlinuz } }\n"
  let folder = Fixture.folder.appending(path: "files").path

  let error = #expect(throws: DescriptionErrors.self) {
    try Description.parse(Array(yaml.utf8), file: "x.yaml", folder: folder) { "it has \($0.count) bytes" }
  }

  #expect(error?.errors.map(\.problem) == [.boot(.notKernel("vmlinuz", reason: "it has 2617 bytes"))])
}

@Test(arguments: ["[", "{ a: ", "- ", "a:\n "])
func `nesting without end is refused, not followed`(opening: String) {
  let bytes = Array(String(repeating: opening, count: 3_000).utf8)

  #expect(throws: DescriptionErrors.self) { try Description.parse(bytes, file: "x.yaml", folder: "/") }
}
