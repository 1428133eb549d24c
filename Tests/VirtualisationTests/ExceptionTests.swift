// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Virtualisation

/// DR6 before a #DB, what VMX says of that, and DR6 as its handler finds it.
struct DebugCase: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let before: UInt64
  let qualification: UInt64
  let after: UInt64
}

private let debugCases = [
  DebugCase(testDescription: "single step", before: 0xffff_0ff0, qualification: 1 << 14, after: 0xffff_4ff0),
  DebugCase(testDescription: "second breakpoint", before: 0xffff_0ff0, qualification: 2, after: 0xffff_0ff2),
  DebugCase(
    testDescription: "breakpoint after another", before: 0xffff_0ff1, qualification: 1 << 3, after: 0xffff_0ff8),
  DebugCase(
    testDescription: "BS stays, as the processor never clears it", before: 0xffff_4ff0, qualification: 1,
    after: 0xffff_4ff1),
  DebugCase(testDescription: "general detect", before: 0xffff_0ff0, qualification: 1 << 13, after: 0xffff_2ff0),
  DebugCase(
    testDescription: "in a transaction: RTM is inverted", before: 0xffff_0ff0, qualification: 1 << 16 | 1,
    after: 0xfffe_0ff1),
  DebugCase(
    testDescription: "no transaction any more", before: 0xfffe_0ff0, qualification: 1 << 14, after: 0xffff_4ff0),
  DebugCase(
    testDescription: "bus lock: BLD is inverted", before: 0xffff_0ff0, qualification: 1 << 11, after: 0xffff_07f0),
  DebugCase(testDescription: "INT1", before: 0xffff_0ff0, qualification: 0, after: 0xffff_0ff0),
  DebugCase(
    testDescription: "bits that mean nothing", before: 0xffff_0ff0, qualification: ~0xf_ffff | 1 << 12,
    after: 0xffff_0ff0),
]

@Suite struct ExceptionTests {
  @Test func `a guest exits for the exceptions on which a processor can loop, and for machine checks`() {
    #expect(ExceptionPolicy.intercepted == 1 << 1 | 1 << 17 | 1 << 18)
  }

  @Test(arguments: debugCases)
  func `the handler of a debug exception finds in DR6 what the processor would have put there`(debug: DebugCase) {
    #expect(DebugStatus.merged(debug.before, qualification: debug.qualification) == debug.after)
  }

  @Test func `a debug exception is given back without an error code, a misaligned access with one`() throws {
    let debug = try #require(ReturnedException(met: VMXEvent(rawValue: 0x8000_0301)))
    let alignment = try #require(ReturnedException(met: VMXEvent(rawValue: 0x8000_0B11)))

    #expect(debug.event.rawValue == 0x8000_0301 && debug.isDebug && !debug.skipsInstruction)
    #expect(alignment.event.rawValue == 0x8000_0B11 && !alignment.isDebug && !alignment.skipsInstruction)
    #expect(ReturnedInterception.event(exitCode: 0x41) == 0x8000_0301)
    #expect(ReturnedInterception.event(exitCode: 0x51) == 0x8000_0B11)
  }

  @Test func `INT1 comes back as a debug exception behind the instruction`() throws {
    let event = try #require(ReturnedException(met: VMXEvent(rawValue: 0x8000_0501)))

    #expect(event.event.rawValue == 0x8000_0301 && event.skipsInstruction)
    #expect(!event.mustStep(flags: 1 << 8, interruptibility: 1))
  }

  @Test func `a bit that says where an exit came from is not given back`() {
    let event = ReturnedException(met: VMXEvent(rawValue: 0x8000_1301))
    #expect(event?.event.rawValue == 0x8000_0301)
  }

  @Test func `machine checks, NMIs, other exceptions and nothing at all are not given back`() {
    for word: UInt32 in [0x8000_0312, 0x8000_0202, 0x8000_0B0E, 0x8000_0B0D, 0x8000_0001, 0x0000_0301, 0] {
      #expect(ReturnedException(met: VMXEvent(rawValue: word)) == nil)
    }
    for code in UInt64(0x40)...0x5f where code != 0x41 && code != 0x51 {
      #expect(ReturnedInterception.event(exitCode: code) == nil)
    }
  }

  @Test func `a step that was met in the shadow of an instruction is pending for the entry`() throws {
    let debug = try #require(ReturnedException(met: VMXEvent(rawValue: 0x8000_0301)))
    let alignment = try #require(ReturnedException(met: VMXEvent(rawValue: 0x8000_0B11)))

    #expect(debug.mustStep(flags: 1 << 8, interruptibility: 1))
    #expect(debug.mustStep(flags: 1 << 8, interruptibility: 2))
    #expect(!debug.mustStep(flags: 0, interruptibility: 1))
    #expect(!debug.mustStep(flags: 1 << 8, interruptibility: 0))
    #expect(!alignment.mustStep(flags: 1 << 8, interruptibility: 1))
  }

  @Test func `a machine check on the way into a guest is one`() {
    #expect(VMXExit(code: 1 << 31 | 41).isMachineCheck)
    #expect(!VMXExit(code: 41).isMachineCheck)
    #expect(!VMXExit(code: 1 << 31 | 33).isMachineCheck)
    var exit = VMXExit(code: 0)
    exit.interruption = 0x8000_0312
    #expect(exit.isMachineCheck && !exit.isNonMaskable)
  }
}
