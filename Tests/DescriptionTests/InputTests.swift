// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestDriver
import Testing

@testable import Description

private let head = "name: test\nconsole: { uart: com1 }\nvms: { a: { memory: 1 GiB, cores: [0], kernel: "

@Test func `a description comes from a pipe as from a file`() async throws {
  let folder = try TemporaryFolder()
  let pipe = folder.path + "/pipe"
  try await Tool.run(["mkfifo", pipe])
  _ = try folder.write(Array((head + "debian:i386 } }\n").utf8), to: "system.yaml")
  let writer = Task { try await Tool.run(["sh", "-c", "cat \(folder.path)/system.yaml > \(pipe)"]) }

  #expect(try Description.load(path: pipe).machines.map(\.name) == ["a"])

  _ = try await writer.value
}

@Test func `what has no end is not read for ever, and a kernel is a file`() {
  #expect(throws: HostFile.Failure.self) { try HostFile.readDescription("/dev/zero") }
  let error = #expect(throws: DescriptionErrors.self) {
    try Description.parse(Array((head + "/dev/null } }\n").utf8), file: "x.yaml", folder: "/")
  }
  #expect(error?.description.contains("'/dev/null' cannot be read: it is no file, but a pipe or a device") == true)
}

@Test func `a kernel of one's own with the programs of another is told of`() throws {
  let folder = Fixture.folder.appending(path: "files").path
  func notes(_ rest: String) throws -> [String] {
    try Description.parse(Array((head + rest + " } }\n").utf8), file: "x.yaml", folder: folder).notes
  }

  #expect(try notes("vmlinuz, initrd: guest:busybox").count == 1)
  #expect(try notes("vmlinuz, initrd: guest:busybox").first?.contains("none for \(folder)/vmlinuz") == true)
  #expect(try notes("vmlinuz, initrd: initrd") == [])
  #expect(try notes("debian:amd64, initrd: guest:busybox") == [])
}

@Test func `many wrong keys take as long as they are many`() throws {
  func time(_ count: Int) throws -> Duration {
    let keys = (0..<count).map { "key\($0): 1\n" }.joined()
    return try ContinuousClock().measure {
      let error = #expect(throws: DescriptionErrors.self) {
        try Description.parse(Array(keys.utf8), file: "x.yaml", folder: "/")
      }
      #expect((error?.errors.count ?? 0) >= count)
    }
  }

  // Twice as many would take four times as long if each looked at all others: far from it, also on a busy computer.
  let few = try time(2_000)
  #expect(try time(16_000) < few * 24)
}
