// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Virtualisation

/// CPUID 8000_000A of processors there are: edx and ebx.
private enum Sample {
  /// EPYC 7001 (Zen), from the kernel logs of such machines.
  static let zen = SVMCapabilities(features: 0x0001_bcff, identifiers: 0x8000)
  /// EPYC 9004 (Zen 4).
  static let zen4 = SVMCapabilities(features: 0x1ebf_bcff, identifiers: 0x8000)
  /// Phenom II (K10), 2009: without decode assists and flush by ASID.
  static let k10 = SVMCapabilities(features: 0x0000_000f, identifiers: 64)
  /// QEMU 7.2's TCG with -cpu EPYC,+svm,+npt.
  static let emulated = SVMCapabilities(features: 0x0000_0001, identifiers: 16)
}

/// An exit whose VMCB has something in every place.
private func exit(_ code: UInt64, _ capabilities: SVMCapabilities, first: UInt64 = 0, count: UInt8 = 3) -> SVMExit {
  var exit = SVMExit(code: code)
  exit.information1 = first
  exit.information2 = 0xfee0_00b0
  exit.add(nextRIP: 0x1002, instruction: (0x0b89_66, 0), count: count, capabilities)
  return exit
}

@Suite struct SVMCapabilityTests {
  @Test func `what a processor has is used, and what it has not is found in another way`() {
    for new in [Sample.zen, Sample.zen4] {
      #expect(new.obstacle == nil)
      #expect(new.hasNextRIP && new.hasDecodeAssists && new.hasFlushByASID)
      #expect(new.flush == .own)
      #expect(new.identifierCount == 0x8000)
    }
    #expect(Sample.zen4.switchesControl)
    for old in [Sample.zen, Sample.k10, Sample.emulated] { #expect(!old.switchesControl) }
    #expect(Sample.k10.hasNextRIP)
    #expect(!Sample.k10.hasDecodeAssists && !Sample.k10.hasFlushByASID)
    #expect(Sample.k10.flush == .everything)
    #expect(!Sample.emulated.hasNextRIP && !Sample.emulated.hasDecodeAssists && !Sample.emulated.hasFlushByASID)
    #expect(Sample.emulated.obstacle == nil)
  }

  @Test func `the values of TLB_CONTROL are the manual's`() {
    #expect(SVMCapabilities.Flush.everything.rawValue == 1)
    #expect(SVMCapabilities.Flush.own.rawValue == 3)
  }

  @Test func `without nested paging, or numbers for guests, there is no guest`() {
    #expect(
      text(SVMCapabilities(features: ~1, identifiers: 16).obstacle) == "this processor has SVM but no nested paging")
    for count in [0, 1] as [UInt32] {
      #expect(text(SVMCapabilities(features: 1, identifiers: count).obstacle)?.contains("no number") == true)
    }
  }

  @Test(arguments: [0x72, 0x78, 0x7c, 0x81, 0x8d] as [UInt64])
  func `the next instruction is taken from the VMCB only where the processor puts it there`(code: UInt64) throws {
    for (capabilities, expected) in [(Sample.zen, 0x1002), (Sample.k10, 0x1002), (Sample.emulated, 0)]
      as [(SVMCapabilities, UInt64)]
    {
      let exit = exit(code, capabilities)
      var information = ExitInformation()
      exit.describe(try #require(exit.reason), in: &information)
      #expect(information.nextRIP == expected)
      #expect(information.instructionCount == 0)
    }
  }

  @Test func `instruction bytes are taken from the VMCB only where the processor puts them there`() {
    for (capabilities, count) in [(Sample.zen, 3), (Sample.k10, 0), (Sample.emulated, 0)] as [(SVMCapabilities, UInt8)]
    {
      var information = ExitInformation()
      exit(0x400, capabilities, first: 2).describe(.memoryAccess, in: &information)
      #expect(information.instructionCount == count)
      // A nested page fault has no next instruction, whatever the place holds (§15.7.1).
      #expect(information.nextRIP == 0)
      if count > 0 { #expect((0..<3).map { information.instruction[$0] } == [0x66, 0x89, 0x0b]) }
    }
  }

  @Test(arguments: [0, 15, 16, 0xff] as [UInt8])
  func `a count of instruction bytes that cannot be stays within 15`(count: UInt8) {
    var information = ExitInformation()
    exit(0x400, Sample.zen, first: 2, count: count).describe(.memoryAccess, in: &information)
    #expect(information.instructionCount <= 15)
  }

  @Test func `bits of the future change nothing`() {
    let future = SVMCapabilities(features: .max, identifiers: .max)
    #expect(future.flush == .own)
    #expect(future.obstacle == nil)
  }

  private func text(_ sentence: StaticString?) -> String? { sentence.map { "\($0)" } }
}
