// SPDX-FileCopyrightText: The Roost authors
// SPDX-License-Identifier: Apache-2.0

import Bits

/// The plan in words, as Linux has them in `/sys/devices/system/cpu/vulnerabilities`.
extension SpeculationPlan {
  /// Goes through what the processor is affected by: the name, what is done, and whether that is enough.
  package func eachAffected(_ body: (_ name: StaticString, _ answer: StaticString, _ isOpen: Bool) -> Void) {
    for index in 0..<Vulnerabilities.count where affected.contains(.bit(index)) {
      body(Vulnerabilities.name(index), answer(.bit(index)), open.contains(.bit(index)))
    }
  }

  /// Goes through the names of what it is not affected by.
  package func eachUnaffected(_ body: (StaticString) -> Void) {
    for index in 0..<Vulnerabilities.count where !affected.contains(.bit(index)) { body(Vulnerabilities.name(index)) }
  }

  private func answer(_ one: Vulnerabilities) -> StaticString {
    if open.contains(one) { return openAnswer(one) }
    return switch one {
    case .bounds: "indices of system calls are masked"
    case .branches: branchAnswer
    case .returns: "the return stack is filled at exits, and never runs empty"
    case .returnStack: measures.contains(.setsReduced) ? "BP_CFG[4]" : "IBPB at exits"
    case .targets: "no indirect branches; the return stack never runs empty"
    case .history: control.contains(.noHistory) ? "BHI_DIS_S, no indirect branches" : "no indirect branches"
    case .terminalFault: measures.contains(.flushesL1) ? "L1D flush before another guest" : "flushed underneath"
    case .aborts: measures.contains(.stopsTransactions) ? "TSX off" : "VERW at changes"
    case .buffers, .staleData, .registerFile, .scheduling: "VERW at changes"
    case .gather, .randomNumbers: "microcode"
    case .vectorRegisters: "DE_CFG[9]"
    case .stores: "guests' own choice"
    case .lazyState: "registers cleared at changes"
    case .pageSizes: "guests execute from 4 KiB pages"
    default: "IBPB at changes"
    }
  }

  private var branchAnswer: StaticString {
    if measures.contains(.setsAutomatic) { return "automatic IBRS, IBPB at changes, returns filled at exits" }
    if control.contains(.restricted) { return "enhanced IBRS, IBPB at changes, returns filled at exits" }
    return "no indirect branches, IBPB at changes, returns filled at exits"
  }

  private func openAnswer(_ one: Vulnerabilities) -> StaticString {
    switch one {
    case .branches: "no IBPB: microcode is too old"
    case .returns, .returnStack:
      measures.contains(.forgetsAtExit) ? "to components that are taken over; IBPB at exits" : "microcode is too old"
    case .meltdown: "components' tables map the kernel's memory and components', no guest's"
    case .terminalFault: "no L1D flush: microcode is too old"
    default: "microcode is too old"
    }
  }
}
