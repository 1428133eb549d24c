// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// The rules for how code is laid out and written, as far as text shows them.
struct SourceTests {
  /// Modules that know neither kernel nor processor, so that the host tests them whole.
  static let pure = [
    "Bits", "ABI", "Firmware", "Decoding", "PCI", "Virtio", "Switching", "Storage", "AHCI", "Machine", "Terminal",
    "Bus", "IOMMU", "Passthrough", "DiskService", "BootReport", "Virtualisation", "Processors",
    "Speculation",
  ]

  @Test func `a file has at most 400 lines`() throws {
    expectNone(try SourceFile.all().filter { $0.lines.count > 401 }.map { "\($0.path): \($0.lines.count) lines" })
  }

  @Test func `a function has at most 40 lines`() throws {
    let long = try SourceFile.swift().flatMap { file in
      file.bodies().filter { $0.count > 40 }.map { "\(file.path):\($0.lowerBound): \($0.count) lines" }
    }
    expectNone(long)
  }

  @Test func `a file begins with its authors and its licence`() throws {
    let bare = try SourceFile.all().filter { file in
      let head = file.lines.prefix(4)
      return !head.contains { $0.contains("SPDX-FileCopyrightText: The Roost authors") }
        || !head.contains { $0.contains("SPDX-License-Identifier: Apache-2.0") }
    }
    expectNone(bare.map(\.path))
  }

  @Test func `each unsafe operation says why it is safe`() throws {
    let files = try SourceFile.swift(under: ["Sources", "Tests/TestDriver", "Benchmarks"])
    expectNone(try files.flatMap { $0.places(try $0.unexplained()) })
  }

  @Test func `pure modules import pure modules only`() throws {
    let allowed = Set(SourceTests.pure + ["Synchronization", "_Volatile"])
    let wrong = try SourceFile.swift(under: SourceTests.pure.map { "Sources/\($0)" }).flatMap { file in
      file.imports().filter { !allowed.contains($0) }.map { "\(file.path) imports \($0)" }
    }
    expectNone(wrong)
  }

  @Test func `what the target runs imports nothing of the host`() throws {
    let target =
      SourceTests.pure
      + ["X86", "Kernel", "KernelImage", "Component", "VMM", "SwitchServer", "DiskServer", "ConsoleServer"]
    let host: Set = ["Foundation", "FoundationEssentials", "Glibc", "Dispatch", "SystemPackage", "Yams"]
    let wrong = try SourceFile.swift(under: target.map { "Sources/\($0)" }).flatMap { file in
      file.imports().filter(host.contains).map { "\(file.path) imports \($0)" }
    }
    expectNone(wrong)
  }

  @Test func `files of the host are written through one door`() throws {
    // Foundation and open(2) replace whatever has the name, be it a disk.
    let ways = ["write(to: URL", "options: .atomic", "[.create", ".writeOnly", "createFile(", "copyItem("]
    let files = try SourceFile.swift(under: ["Sources"]).filter { $0.path != "Sources/HostTools/OutputFile.swift" }
    expectNone(
      files.flatMap { file in
        file.places(file.lines.indices.filter { index in ways.contains { file.lines[index].contains($0) } })
      })
  }

  @Test func `no loose ends, no tests that are switched off`() throws {
    let words = ["TO" + "DO", "FIX" + "ME", "X" + "XX", ".disa" + "bled(", "withKnown" + "Issue"]
    let wrong = try SourceFile.all().flatMap { file in
      file.places(file.lines.indices.filter { index in words.contains { file.lines[index].contains($0) } })
    }
    expectNone(wrong)
  }

  @Test func `nothing names the machine it was written on`() async throws {
    let listed = try await Tool.run(["git", "-c", "safe.directory=*", "-C", Repository.root, "ls-files"])
    let words = ["\(Repository.root)/"] + (try await Self.packageHosts())
    for path in listed.split(separator: "\n") {
      // What is not text is no source.
      guard let file = try? SourceFile(String(path)) else { continue }
      let found = file.lines.indices.filter { index in words.contains { file.lines[index].contains($0) } }
      expectNone(file.places(found))
    }
  }

  @Test func `the formatter has nothing to say`() async throws {
    let folders = ["Sources", "Tests", "Benchmarks", "Package.swift"].map { "\(Repository.root)/\($0)" }
    let (ending, output) = try await Tool.result(
      of: ["swift", "format", "lint", "--strict", "--parallel", "--recursive"]
        + ["--configuration", "\(Repository.root)/.swift-format"] + folders)
    #expect(ending == Tool.success, "\(output.suffix(8000))")
  }

  /// The hosts this machine has its packages from, but for Debian's own, which anybody may name.
  private static func packageHosts() async throws -> [String] {
    let sources = try await Tool.result(of: ["sh", "-c", "cat /etc/apt/sources.list /etc/apt/sources.list.d/*"]).output
    return sources.matches(of: /https?:\/\/(?:[^@\/\s]*@)?([^\/\s:]+)/).map { String($0.1) }
      .filter { !$0.hasSuffix("debian.org") }
  }
}
