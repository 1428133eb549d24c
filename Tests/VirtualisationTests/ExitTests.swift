// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import ABI
import Bits
import Testing

@testable import Virtualisation

/// One event, as either vendor's processor tells of it, and what a VMM is to hear.
struct ExitCase: CustomTestStringConvertible, Sendable {
  let name: String
  let svm: SVMExit?
  let vmx: VMXExit?
  let reason: ExitReason?
  var expected: @Sendable (ExitInformation) -> Bool = { _ in true }
  var writtenPort: UInt16?

  var testDescription: String { name }

  var both: [any GuestExit] {
    var exits: [any GuestExit] = []
    if let svm { exits.append(svm) }
    if let vmx { exits.append(vmx) }
    return exits
  }
}

private func svm(_ code: UInt64, _ first: UInt64 = 0, _ second: UInt64 = 0, next: UInt64 = 0x1002) -> SVMExit {
  var exit = SVMExit(code: code)
  exit.information1 = first
  exit.information2 = second
  exit.nextRIP = next
  return exit
}

private func vmx(
  _ code: UInt32, _ qualification: UInt64 = 0, at address: UInt64 = 0, length: UInt32 = 2, _ information: UInt32 = 0,
  interruption: UInt32 = 0
) -> VMXExit {
  var exit = VMXExit(code: code)
  exit.qualification = qualification
  exit.physicalAddress = address
  exit.rip = 0x1000
  exit.instructionLength = length
  exit.instructionInformation = information
  exit.interruption = interruption
  return exit
}

private let isNextKnown: @Sendable (ExitInformation) -> Bool = { $0.nextRIP == 0x1002 }

private func isAccess(_ access: Access, port: UInt16, width: UInt8, addressSize: UInt32? = nil)
  -> @Sendable (ExitInformation) -> Bool
{
  {
    $0.access == access.rawValue && $0.port == port && $0.width == width && $0.nextRIP == 0x1002
      && (addressSize == nil || $0.addressSize == addressSize)
  }
}

private func isTouch(_ access: Access, at address: UInt64) -> @Sendable (ExitInformation) -> Bool {
  { $0.access == access.rawValue && $0.address == address && $0.nextRIP == 0 }
}

private let events: [ExitCase] = [
  ExitCase(name: "interrupt of the machine", svm: svm(0x60), vmx: vmx(1), reason: nil),
  ExitCase(name: "NMI of the machine", svm: svm(0x61), vmx: vmx(0, interruption: 0x8000_0202), reason: nil),
  ExitCase(name: "debug exception", svm: svm(0x41), vmx: vmx(0, interruption: 0x8000_0301), reason: nil),
  ExitCase(name: "INT1", svm: nil, vmx: vmx(0, interruption: 0x8000_0501), reason: nil),
  ExitCase(name: "misaligned access", svm: svm(0x51), vmx: vmx(0, interruption: 0x8000_0B11), reason: nil),
  ExitCase(name: "machine check", svm: svm(0x52), vmx: vmx(0, interruption: 0x8000_0312), reason: nil),
  ExitCase(name: "SMI", svm: svm(0x62), vmx: vmx(6), reason: nil),
  ExitCase(name: "INIT", svm: svm(0x63), vmx: vmx(3), reason: nil),
  ExitCase(name: "interrupt window", svm: nil, vmx: vmx(7), reason: nil),
  ExitCase(name: "end of a turn", svm: nil, vmx: vmx(52), reason: nil),
  ExitCase(
    name: "end of an interrupt", svm: nil, vmx: vmx(45, 0x51), reason: .endOfInterrupt,
    expected: { $0.address == 0x51 && $0.nextRIP == 0 }),
  ExitCase(name: "CPUID", svm: svm(0x72), vmx: vmx(10), reason: .cpuid, expected: isNextKnown),
  ExitCase(name: "HLT", svm: svm(0x78), vmx: vmx(12), reason: .halt, expected: isNextKnown),
  ExitCase(name: "RDMSR", svm: svm(0x7C, 0), vmx: vmx(31), reason: .readMSR, expected: isNextKnown),
  ExitCase(name: "WRMSR", svm: svm(0x7C, 1), vmx: vmx(32), reason: .writeMSR, expected: isNextKnown),
  ExitCase(name: "hypercall", svm: svm(0x81), vmx: vmx(18), reason: .hypercall, expected: isNextKnown),
  ExitCase(name: "XSETBV", svm: svm(0x8D), vmx: vmx(55), reason: .setXCR, expected: isNextKnown),
  ExitCase(name: "INVD", svm: svm(0x76), vmx: vmx(13), reason: .cacheControl, expected: isNextKnown),
  ExitCase(name: "WBINVD", svm: svm(0x89), vmx: vmx(54), reason: .cacheControl, expected: isNextKnown),
  ExitCase(name: "MONITOR", svm: svm(0x8A), vmx: vmx(39), reason: .forbidden),
  ExitCase(name: "MWAIT", svm: svm(0x8B), vmx: vmx(36), reason: .forbidden),
  ExitCase(name: "VMRUN, VMLAUNCH", svm: svm(0x80), vmx: vmx(20), reason: .forbidden),
  ExitCase(name: "CLGI, VMXON", svm: svm(0x85), vmx: vmx(27), reason: .forbidden),
  ExitCase(name: "INVLPGA, INVEPT", svm: svm(0x7A), vmx: vmx(50), reason: .forbidden),
  ExitCase(name: "SKINIT, GETSEC", svm: svm(0x86), vmx: vmx(11), reason: .forbidden),
  ExitCase(name: "RDPMC", svm: nil, vmx: vmx(15), reason: .forbidden),
  ExitCase(name: "triple fault", svm: svm(0x7F), vmx: vmx(2), reason: .shutdown),
  ExitCase(name: "refused state", svm: svm(.max), vmx: vmx(0x8000_0021), reason: .invalidState),
  ExitCase(name: "refused state in QEMU", svm: svm(0xffff_ffff), vmx: nil, reason: .invalidState),
  ExitCase(name: "refused MSR", svm: nil, vmx: vmx(0x8000_0022, 3), reason: .invalidState),
  ExitCase(name: "VMX instruction failed", svm: nil, vmx: vmx(0x8000_0000), reason: .invalidState),
  ExitCase(
    name: "an exception nobody asked for", svm: svm(0x4E), vmx: vmx(0, interruption: 0x8000_0B0E), reason: .unexpected),
  ExitCase(name: "task switch", svm: svm(0x7D), vmx: vmx(9), reason: .unexpected),
  ExitCase(name: "wrong nested page table", svm: nil, vmx: vmx(49), reason: .unexpected),
  ExitCase(
    name: "OUT of a byte", svm: svm(0x7B, 0x3F8 << 16 | 1 << 4, 0x1002), vmx: vmx(30, 0x3F8 << 16),
    reason: .portAccess, expected: isAccess(.write, port: 0x3F8, width: 1), writtenPort: 0x3F8),
  ExitCase(
    name: "IN of a word", svm: svm(0x7B, 0xC000 << 16 | 1 << 5 | 1, 0x1002), vmx: vmx(30, 0xC000 << 16 | 8 | 1),
    reason: .portAccess, expected: isAccess(.none, port: 0xC000, width: 2)),
  ExitCase(
    name: "OUT of a doubleword to the last port", svm: svm(0x7B, 0xFFFC << 16 | 1 << 6, 0x1002),
    vmx: vmx(30, 0xFFFC << 16 | 3), reason: .portAccess, expected: isAccess(.write, port: 0xFFFC, width: 4),
    writtenPort: 0xFFFC),
  ExitCase(
    name: "REP OUTSB with 32-bit addresses", svm: svm(0x7B, 0x3F8 << 16 | 1 << 8 | 1 << 4 | 8 | 4, 0x1002),
    vmx: vmx(30, 0x3F8 << 16 | 32 | 16, 1 << 7), reason: .portAccess,
    expected: isAccess(.write | .string | .repeated, port: 0x3F8, width: 1, addressSize: 32)),
  ExitCase(
    name: "INSW with 64-bit addresses", svm: svm(0x7B, 0x1F0 << 16 | 1 << 9 | 1 << 5 | 4 | 1, 0x1002),
    vmx: vmx(30, 0x1F0 << 16 | 16 | 8 | 1, 2 << 7), reason: .portAccess,
    expected: isAccess(.string, port: 0x1F0, width: 2, addressSize: 64)),
  ExitCase(
    name: "load from memory that is not there", svm: svm(0x400, 0x1_0000_0004, 0xFEC0_0010),
    vmx: vmx(48, 1 | 1 << 7, at: 0xFEC0_0010, length: 7), reason: .memoryAccess,
    expected: isTouch(.none, at: 0xFEC0_0010)),
  ExitCase(
    name: "store to it", svm: svm(0x400, 0x1_0000_0006, 0xFEE0_00B0),
    vmx: vmx(48, 2 | 1 << 7, at: 0xFEE0_00B0, length: 7), reason: .memoryAccess,
    expected: isTouch(.write, at: 0xFEE0_00B0)),
  ExitCase(
    name: "fetch from it", svm: svm(0x400, 0x1_0000_0014, 0x1_0000_0000),
    vmx: vmx(48, 4, at: 0x1_0000_0000), reason: .memoryAccess, expected: isTouch(.fetch, at: 0x1_0000_0000)),
]

@Suite struct ExitTests {
  @Test(arguments: events)
  func `what a guest did is told in the same words whoever made the processor`(event: ExitCase) {
    for exit in event.both {
      #expect(exit.reason == event.reason)
      #expect(exit.writtenPort == event.writtenPort)
      guard let reason = exit.reason else { continue }
      var told = ExitInformation()
      told.instructionCount = 9
      told.access = .max
      exit.describe(reason, in: &told)
      #expect(event.expected(told))
      #expect(told.instructionCount == 0)
    }
  }

  @Test func `every code that a processor could give has an answer`() {
    for code in UInt32(0)..<0x1_0000 {
      let exit = VMXExit(code: code)
      var told = ExitInformation()
      if let reason = exit.reason { exit.describe(reason, in: &told) }
      #expect(exit.writtenPort == nil || code == 30)
      #expect(SVMExit(code: UInt64(code)).reason != .invalidState)
    }
  }

  @Test func `an exit of a guest that was never entered is no exit of that guest`() {
    for basic in UInt32(0)..<80 { #expect(VMXExit(code: 1 << 31 | basic).reason == .invalidState) }
  }

  @Test func `instruction bytes are given as far as the processor gives them`() {
    var exit = svm(0x400, 4, 0xFEC0_0000)
    exit.instruction = (0x0807_0605_0403_0201, 0xFF0F_0E0D_0C0B_0A09)
    exit.instructionCount = 0xF
    var told = ExitInformation()
    exit.describe(.memoryAccess, in: &told)
    #expect(told.instructionCount == 15)
    for index in 0..<15 { #expect(told.instruction[index] == UInt8(index + 1)) }
  }

  @Test func `an address size that there is not is taken for the largest`() {
    var told = ExitInformation()
    vmx(30, 0x3F8 << 16 | 16, 7 << 7).describe(.portAccess, in: &told)
    #expect(told.addressSize == 64)
  }
}
