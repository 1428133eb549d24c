// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import TestDriver
import Testing

/// Rules for the ways into ring 0, which no test on the host can take.
struct EntryTests {
  @Test func `each way in puts SMAP in force again before it does anything else`() throws {
    let lines = try SourceFile("Sources/CX86/entry.S").lines.map { $0.trimmingPrefix(while: \.isWhitespace) }
    // But for SYSCALL, whose mask clears AC.
    var isMacro = false
    for index in lines.indices {
      if lines[index].hasPrefix(".macro") { isMacro = true }
      if lines[index].hasPrefix(".endm") { isMacro = false }
      guard !isMacro, lines[index].hasPrefix("push_registers") else { continue }
      #expect(lines[index + 1].hasPrefix("close_user_pages"), "entry.S:\(index + 1)")
    }
    #expect(lines.count { $0.hasPrefix("close_user_pages") } >= 2)
  }

  @Test func `SYSCALL clears the flags that must not reach ring 0`() throws {
    let source = try SourceFile("Sources/Kernel/Boot/CoreSetup.swift").lines
    let mask = try #require(source.firstMatch(after: "case .callFlagMask: 0x"))
    let value = try #require(UInt64(mask.replacing("_", with: ""), radix: 16))
    // TF, IF, DF, IOPL, NT, AC.
    #expect(value == 1 << 8 | 1 << 9 | 1 << 10 | 3 << 12 | 1 << 14 | 1 << 18)
  }

  @Test func `one gate is open to ring 3, only where SYSCALL is off, and no interrupt comes by it`() throws {
    let openings = try Repository.files(under: "Sources/Kernel", ["swift"]).flatMap { path in
      try SourceFile(path).lines.filter { $0.contains("isOpen: vector") }
    }
    #expect(
      openings.map { $0.trimmingPrefix(while: \.isWhitespace) } == [
        "isOpen: vector == Int(CX86_CALL_GATE) && support.callsByGate)"
      ])
    let support = try SourceFile("Sources/Kernel/VirtualCPU/VMXSupport.swift").lines
    #expect(support.contains { $0.contains("MSR.efer.value &= ~EFER.systemCall.rawValue") })
    let header = try SourceFile("Sources/CX86/include/CX86.h").lines
    let gate = try #require(header.firstMatch(after: "#define CX86_CALL_GATE 0x").flatMap { Int($0, radix: 16) })
    let vectors = try SourceFile("Sources/Kernel/Interrupts/Vectors.swift").lines
    let first = try #require(vectors.firstMatch(after: "firstLine: UInt64 { 0x")?.prefix(2))
    #expect(gate >= 32)
    #expect(gate < (try #require(Int(first, radix: 16))))
  }

  @Test func `ring 3 has no segment of 32-bit code`() throws {
    let source = try SourceFile("Sources/X86/DescriptorTables.swift").lines
    let words = source.compactMap { $0.firstMatch(of: /Code\S*: UInt64 +\{ 0x(\w+) \}/)?.1 }
    #expect(words.count == 2)
    for word in words {
      // Bit 53, L: 64-bit code.
      let value = try #require(UInt64(word.replacing("_", with: ""), radix: 16))
      #expect(value & 1 << 53 != 0)
    }
  }

  @Test func `each core has what keeps ring 3 and ring 0 apart, where the processor has it`() throws {
    let source = try SourceFile("Sources/Kernel/Boot/CoreSetup.swift").lines
    for feature in ["smep", "smap", "umip"] {
      #expect(source.contains { $0.contains("cr4.set(.\(feature), to: features.has\(feature.uppercased()))") })
    }
    #expect(source.contains { $0.contains("cx86_set_access_control(features.hasSMAP") })
  }
}

extension [Substring] {
  /// What follows `text` in the first line that has it.
  fileprivate func firstMatch(after text: String) -> Substring? {
    for line in self {
      if let range = line.firstRange(of: text) { return line[range.upperBound...] }
    }
    return nil
  }
}
