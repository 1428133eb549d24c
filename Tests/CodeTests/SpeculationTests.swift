// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// What the compiler and the assembly leave for a processor to guess at (`make images`, decision 30).
struct SpeculationTests {
  /// Branches to a register's or a word's address; boot.S has one, before anybody else has run.
  @Test(arguments: ImageTests.all)
  func `no branch is indirect`(name: String) async throws {
    var function: Substring = ""
    var wrong: [String] = []
    for line in try await Self.code(of: name) {
      if line.hasSuffix(">:") { function = line }
      guard line.contains("*"), !function.contains("<multiboot_entry>") else { continue }
      wrong.append("\(function) \(line)")
    }
    expectNone(wrong)
  }

  @Test(arguments: ["cx86_svm_run", "cx86_svm_run_filled", "cx86_vmx_exit", "cx86_vmx_exit_filled"])
  func `nothing of a guest's registers is left after an exit`(function: String) async throws {
    let code = try await Self.code(ofFunction: function)
    let last = try #require(code.lastIndex { $0.contains(/mov +%r15,0x78\(%rax\)/) }, "the registers are stored")
    let after = code[last...]
    for register in ["ecx", "edx", "ebx", "ebp", "esi", "edi"] + (8...15).map({ "r\($0)d" }) {
      #expect(after.contains { $0.contains("xor") && $0.contains("%\(register),%\(register)") }, "\(register)")
    }
  }

  @Test(arguments: ["cx86_svm_run_filled", "cx86_vmx_exit_filled"])
  func `the return stack is filled before the first return, and the loop is not guessed past`(
    function: String
  ) async throws {
    let code = try await Self.code(ofFunction: function)
    let fence = try #require(code.firstIndex { $0.contains("lfence") })
    #expect(code[..<fence].filter { $0.contains("call") }.count == 2)
    #expect(code[..<fence].filter { $0.contains("int3") }.count == 2)
    #expect(code[..<fence].contains { $0.contains(/mov +\$0x10,%ecx/) })
    #expect(!code[..<fence].contains { $0.contains(/\bret/) })
  }

  /// What objdump says of an image, or of one of its functions.
  private static func code(of name: String, _ options: [String] = []) async throws -> [Substring] {
    try await Tool.run(["objdump", "-d", "--no-show-raw-insn"] + options + [Repository.image(name)])
      .split(separator: "\n")
  }

  private static func code(ofFunction name: String) async throws -> [Substring] {
    let lines = try await code(of: "KernelImage", ["--disassemble=\(name)"])
    try #require(lines.contains { $0.hasSuffix("<\(name)>:") }, "\(name) is in the image")
    return lines
  }
}
