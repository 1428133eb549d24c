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

  /// The ways out of a guest on SVM that do something about what it leaves.
  private static let guarded = [
    "cx86_svm_run_filled", "cx86_svm_run_forgetting", "cx86_svm_run_filled_control", "cx86_svm_run_forgetting_control",
  ]

  @Test(arguments: guarded + ["cx86_svm_run", "cx86_vmx_exit", "cx86_vmx_exit_filled"])
  func `nothing of a guest's registers is left after an exit`(function: String) async throws {
    let code = try await Self.code(ofFunction: function)
    let last = try #require(code.lastIndex { $0.contains(/mov +%r15,0x78\(%rax\)/) }, "the registers are stored")
    let after = code[last...]
    for register in ["ecx", "edx", "ebx", "ebp", "esi", "edi"] + (8...15).map({ "r\($0)d" }) {
      #expect(after.contains { $0.contains("xor") && $0.contains("%\(register),%\(register)") }, "\(register)")
    }
  }

  @Test(arguments: guarded + ["cx86_vmx_exit_filled"])
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

  @Test(arguments: guarded)
  func `an exit gives back SPEC_CTRL, then forgets predictions, each where its name says so`(
    function: String
  ) async throws {
    let code = try await Self.code(ofFunction: function)
    let entry = try #require(code.firstIndex { $0.contains("vmrun") })
    let fence = try #require(code.firstIndex { $0.contains("lfence") })
    let registers = { (lines: ArraySlice<Substring>) in
      lines.compactMap { $0.firstMatch(of: /rdmsr|wrmsr|mov +\$0x4[89],%ecx/).map { String($0.output.suffix(10)) } }
    }
    let control = function.hasSuffix("control")
    let forgets = function.contains("forgetting")
    #expect(registers(code[..<entry]) == (control ? ["$0x48,%ecx", "wrmsr"] : []))
    #expect(
      registers(code[entry..<fence]) == (control ? ["$0x48,%ecx", "rdmsr", "wrmsr"] : [])
        + (forgets ? ["$0x49,%ecx", "wrmsr"] : []))
    // Neither is written anywhere after the return stack is filled.
    #expect(registers(code[fence...]).isEmpty)
  }

  @Test(arguments: ["leave_user", "cx86_wait_for_interrupt"])
  func `the first returns after ring 3 or a sleep go where nobody else has trained`(function: String) async throws {
    let code = try await Self.code(ofFunction: function)
    let last = try #require(code.firstIndex { $0.contains(/\bret\b/) })
    let before = code[..<last].suffix(5).map { $0.contains("call") ? "call" : $0.contains("int3") ? "int3" : "" }
    #expect(before == ["call", "int3", "call", "int3", ""])
  }

  /// Returns are guessed by the last sixteen calls; a deeper chain has its outermost returns guessed by something that
  /// others train, on processors that have Retbleed or ITS.
  @Test func `the kernel's calls are never deeper than the return stack, nor its first returns more than were pushed`()
    async throws
  {
    let calls = CallGraph(try await Self.code(of: "KernelImage"))
    let (depth, chain) = try calls.deepest(from: "kernel_core_run")
    #expect(depth <= 16, "\(chain.joined(separator: "\n"))")
    #expect(depth > 8, "the calls are found")
    // What never returns, the loop of the core, is one call deep.
    for entry in ["cx86_enter_user", "cx86_return_to_user", "cx86_wait_for_interrupt"] {
      #expect(try calls.depth(of: Substring(entry), from: "kernel_core_run") <= 3, "\(entry)")
    }
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
