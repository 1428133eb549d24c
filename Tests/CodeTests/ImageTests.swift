// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// The rules for what comes out of the compiler for the machine itself (`make images`).
struct ImageTests {
  static let components = ["VMM", "SwitchServer", "DiskServer", "ConsoleServer"]
  static let all = ["KernelImage"] + components

  @Test(arguments: all)
  func `no page is writable and executable`(name: String) throws {
    let segments = try ELFFile(name).segments
    #expect(!segments.isEmpty)
    #expect(segments.filter { $0.isWritable && $0.isExecutable } == [])
  }

  @Test(arguments: all)
  func `nothing allocates memory or counts references`(name: String) async throws {
    let words = /posix_memalign|\bmalloc\b|swift_(retain|release|alloc|slowAlloc|initStackObject|once|bridgeObject)\w*/
    expectNone(try await symbols(of: name).filter { $0.contains(words) })
  }

  @Test(arguments: all)
  func `no global is initialised at its first use`(name: String) async throws {
    expectNone(try await symbols(of: name).filter { $0.hasSuffix("_Wz") })
  }

  @Test(arguments: all)
  func `no instruction touches the vector or floating-point registers`(name: String) async throws {
    let code = try await Tool.run(["objdump", "-d", "--no-show-raw-insn", Repository.image(name)])
    let wrong = code.split(separator: "\n").filter { $0.contains(/%(?:[xyz]?mm\d|st\b)/) }
    expectNone(wrong.map(String.init))
  }

  @Test func `kernel and components take less than 2 MiB`() throws {
    let size = try ImageTests.all.map { try ELFFile($0).loadedSize }.reduce(0, +)
    #expect(size > 0 && size < 2 << 20, "they take \(size) bytes")
  }

  private func symbols(of name: String) async throws -> [String] {
    let lines = try await Tool.run(["nm", Repository.image(name)]).split(separator: "\n")
    let names = lines.compactMap { $0.split(separator: " ").last.map(String.init) }
    try #require(!names.isEmpty, "a stripped file shows nothing")
    return names
  }
}
