// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits
import Testing

@testable import Processors

private let recovers = MachineCheckRules(capability: 1 << 24 | 10, isAMD: false, recovery: 0)
private let old = MachineCheckRules(capability: 6, isAMD: false, recovery: 0)
private let amd = MachineCheckRules(capability: 23, isAMD: true, recovery: 0b11)
private let oldAMD = MachineCheckRules(capability: 6, isAMD: true, recovery: 0)

private func bank(_ status: UInt64, address: UInt64 = 0, more: UInt64 = 0) -> MachineCheckBank {
  MachineCheckBank(7) { [0x41D: status, 0x41E: address, 0x41F: more][$0] ?? .max }
}

private func text(_ line: LogLine) -> String {
  String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
}

/// A bank's status as a manual has it, and how bad that is.
struct StatusCase: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let status: UInt64
  let rules: MachineCheckRules
  let severity: MachineCheckSeverity

  fileprivate init(_ name: String, _ status: UInt64, _ rules: MachineCheckRules, _ severity: MachineCheckSeverity) {
    testDescription = name
    self.status = status
    self.rules = rules
    self.severity = severity
  }
}

private let statusCases = [
  StatusCase("an empty bank", 0x2000_0000_0000_0135, recovers, .none),
  StatusCase("a corrected error of memory", 0x8C00_0040_0001_0090, recovers, .corrected),
  StatusCase("memory scrubbing found it (SRAO)", 0xBD00_0000_0000_00C0, recovers, .waiting),
  StatusCase("data load (SRAR)", 0xBD80_0000_0000_0134, recovers, .consumed),
  StatusCase("instruction fetch (SRAR)", 0xBD80_0000_0000_0150, recovers, .consumed),
  StatusCase("a load that hides another", 0xFD80_0000_0000_0134, recovers, .fatal),
  StatusCase("no action required (UCNA)", 0xBC00_0000_0000_009F, recovers, .waiting),
  StatusCase("context corrupt", 0xBF80_0000_0000_0134, recovers, .fatal),
  StatusCase("a processor that cannot recover", 0xBC00_0000_0000_0134, old, .fatal),
  StatusCase("AMD: corrected", 0x9C20_4000_0000_011B, amd, .corrected),
  StatusCase("AMD: deferred", 0x9C20_1000_0000_011B, amd, .waiting),
  StatusCase("AMD: poison was used", 0xBC00_0800_0000_0135, amd, .consumed),
  StatusCase("AMD: poison was used, others were lost", 0xFC00_0800_0000_0135, amd, .consumed),
  StatusCase("AMD before Zen", 0xBC00_0000_0000_0135, oldAMD, .fatal),
  StatusCase("AMD: context corrupt", 0xBE00_0000_0000_0135, amd, .fatal),
]

@Suite struct MachineCheckTests {
  @Test(arguments: statusCases)
  func `an error is as bad as its bank says, by the rules of who made the processor`(status: StatusCase) {
    #expect(bank(status.status).severity(status.rules) == status.severity)
  }

  @Test func `address and the rest are read only where the bank has them`() {
    var reads: [UInt32] = []
    for status: UInt64 in [0, 1 << 63, 1 << 63 | 1 << 58, 1 << 63 | 1 << 58 | 1 << 59] {
      _ = MachineCheckBank(2) {
        reads.append($0)
        return status
      }
    }
    #expect(reads == [0x409, 0x409, 0x409, 0x40A, 0x409, 0x40A, 0x40B])
  }

  @Test func `an Intel address counts if it is physical, from the bit that the bank names`() throws {
    let memory = try #require(bank(0xBD80_0000_0000_0134, address: 0x1_2345_6789, more: 0x8C).memory(recovers))

    #expect(memory.address == PhysicalAddress(0x1_2345_6000) && memory.size == 4096)
    #expect(bank(0xBD80_0000_0000_0134, address: 0x1000, more: 0x4C).memory(recovers) == nil, "linear")
    #expect(bank(0xB580_0000_0000_0134, address: 0x1000, more: 0x8C).memory(recovers) == nil, "MISC is not valid")
    #expect(bank(0xBD80_0000_0000_0134, address: 0x1000, more: 0xBF).memory(recovers) == nil, "no such bit")
    #expect(bank(0xB980_0000_0000_0134, address: 0x1000, more: 0x8C).memory(recovers) == nil, "no address")
  }

  @Test func `an AMD address counts where poison was used, not where a controller found it`() throws {
    let memory = try #require(bank(0xBC00_0800_0000_0135, address: 0x1_2345_6789).memory(amd))

    #expect(memory.address == PhysicalAddress(0x1_2345_6780) && memory.size == 64)
    #expect(bank(0x9C20_1000_0000_011B, address: 0x1000).memory(amd) == nil)
  }

  @Test func `what an error is, is said in words`() {
    let said: [(UInt64, String)] = [
      (0x8C00_0040_0001_0090, "memory read, corrected"), (0xBD00_0000_0000_00C0, "memory scrubbing, uncorrected, not"),
      (0xFD80_0000_0000_0134, "cache, uncorrected, the processor's state is lost, others lost"),
      (0xBF80_0000_0000_0E0B, "bus or interconnect, "), (0x8000_0000_0000_0014, "translation cache, corrected"),
      (0x8000_0000_0000_0005, "internal parity, "), (0x8000_0000_0000_0400, "internal timer, "),
      (0x8000_0000_0000_1090, "memory read, "), (0x8000_0000_0000_7000, "unknown kind, "),
    ]
    for (status, words) in said {
      #expect(text(bank(status).line(core: 3, recovers)).hasPrefix("machine check on core 3, bank 7: \(words)"))
    }
    let full = bank(0xBD80_0000_0000_0134, address: 0x1000, more: 0x8C)
    #expect(text(full.registers) == "  status 0xbd80000000000134, address 0x1000, misc 0x8c")
  }

  @Test func `who was interrupted goes on where that is safe, else it alone stops if it is not the kernel`() {
    let restarts = MachineCheckGlobal(rawValue: 0b101)
    let cannot = MachineCheckGlobal(rawValue: 0b100)
    for context in [MachineCheckContext.guest, .component] {
      #expect(MachineCheckDecision(.waiting, restarts, context) == .goOn)
      #expect(MachineCheckDecision(.none, restarts, context) == .goOn, "another core's error, told to all")
      #expect(MachineCheckDecision(.consumed, restarts, context) == .stopInterrupted)
      #expect(MachineCheckDecision(.none, cannot, context) == .stopInterrupted)
      #expect(MachineCheckDecision(.fatal, restarts, context) == .stopMachine(.contextLost))
    }
    #expect(MachineCheckDecision(.waiting, restarts, .kernel) == .goOn)
    #expect(MachineCheckDecision(.consumed, restarts, .kernel) == .stopMachine(.kernelConsumed))
    #expect(MachineCheckDecision(.none, cannot, .kernel) == .stopMachine(.cannotRestart))
    #expect(MachineCheckDecision(.fatal, cannot, .kernel) == .stopMachine(.contextLost))
  }

  @Test func `eight lines an hour are said, and then how many were not`() {
    var allowance = ReportAllowance()
    for _ in 0..<7 { #expect(allowance.take(now: 5) == .report(kept: 0)) }
    #expect(allowance.take(now: 6) == .reportLast)
    for _ in 0..<100 { #expect(allowance.take(now: 3604) == .keep) }
    #expect(allowance.take(now: 3605) == .report(kept: 100))
    #expect(allowance.take(now: 3605) == .report(kept: 0))
  }

  @Test func `the port says where an NMI comes from, and is told to listen again`() {
    #expect(NMISource(status: 0x80) == .systemError && NMISource(status: 0xC0) == .systemError)
    #expect(NMISource(status: 0x4F) == .channelCheck && NMISource(status: 0x3F) == .unknown)
    #expect(NMISource.systemError.acknowledgement(0xBF)?.off == 0b0111)
    #expect(NMISource.systemError.acknowledgement(0xBF)?.on == 0b0011)
    #expect(NMISource.channelCheck.acknowledgement(0x50)?.off == 0b1000)
    #expect(NMISource.unknown.acknowledgement(0) == nil)
  }
}
